"""The moments at which a tower computes images, and what it leaves beside the language model until its own way back.

The wrapper embeds the text, runs the tower over the images of a micro-batch, puts their embeddings into the rows
(`masked_scatter`), and runs the language model over these. What it holds of the tower goes when that is done; where a
gradient goes through the tower, what it kept goes on the way back, which comes last.

Sources: transformers 5.23.0, `models/*/modeling_*.py` of the wrappers; torch 2.13, `masked_scatter` and `masked_select`
of `aten/native/cuda/IndexKernel.cpp`, which count positions in 64 bits. Left out: workspaces of the convolution that
embeds patches, and what the first layers of a language model hold for the deep features of Qwen3-VL.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from hbspec.catalog.dtypes import FLOAT32
from hbspec.catalog.vision import PIXTRAL, QWEN3, Vision
from hbspec.estimators.step.job import Job
from hbspec.estimators.step.lifetimes.embedding import LAYER_INPUTS
from hbspec.estimators.step.lifetimes.ledger import Form, Peak
from hbspec.estimators.step.lifetimes.vision import Shown, VisionRun, vision_run
from hbspec.estimators.step.lifetimes.vision_parts import OUTPUTS
from hbspec.estimators.step.moment import Moment, Part, Sized, moment, part, sized
from hbspec.plan.epochs import TOWERS_HOOKED

POSITION = 8
"""Bytes of a position that a kernel counts."""

UNHOOKED = (QWEN3,)
"""Towers whose class does not say which module embeds its patches (`get_input_embeddings` raises)."""

HELD_TO_THE_LOSS = ("gemma3", "llava", "mistral3")
"""Wrappers whose output holds the embeddings of the images (`image_hidden_states`)."""

IMAGES, IMAGES_BACKWARD = "images", "images backward"
"""Names of the moments."""


class RunImages(NamedTuple):
    """A tower beside a language model, for rows of one length.

    Attributes:
        vision: the tower.
        run: what it does.
        patches: of the micro-batch that has most.
        usual: of another micro-batch of the update.
        attended: patches that each patch attends to.
        micro_batches: of an update.
        tokens: of the micro-batch.
        element: bytes of a number of the residual stream.
        hooked: whether the text's embeddings are made to need a gradient, and held for it beside the merged rows.
        on_gpu: whether CUDA's kernels run.
    """

    vision: Vision
    run: VisionRun
    patches: int
    usual: int
    attended: int
    micro_batches: int
    tokens: int
    element: int
    hooked: bool
    on_gpu: bool

    @classmethod
    def of(cls, job: Job, tokens: int, *, learning: bool = True) -> RunImages | None:
        """The tower of a job whose rows have so many tokens; None where it shows no images.

        Args:
            job: the job.
            tokens: T, tokens of each row.
            learning: whether gradients are computed.
        """
        training, vision, program = job.training, job.architecture.vision, job.program
        images, rows = training.images, training.micro_batch
        if images is None or vision is None:
            return None
        hooked = learning and bool(program.targets) and program.checkpointing
        everywhere = training.has(TOWERS_HOOKED) and vision.kind not in UNHOOKED
        shown = Shown(hooked and everywhere, hooked and training.framework not in TRAINED_LAYERS_ALONE)
        patches = images.most_patches(vision, rows, tokens)
        return cls(
            vision=vision,
            run=vision_run(vision, program, shown),
            patches=patches,
            usual=images.usual_patches(vision, rows, tokens),
            attended=_attended(vision, patches, images.pixels),
            micro_batches=training.gradient_accumulation,
            tokens=rows * tokens,
            element=job.precision.stream,
            hooked=hooked,
            on_gpu=program.on_gpu,
        )

    @property
    def pixels(self) -> int:
        """Bytes of the images of an update, which the trainer moves to the GPU before it begins, in fp32."""
        return FLOAT32 * self.vision.patch * (self.patches + (self.micro_batches - 1) * self.usual)

    @property
    def held(self) -> Part:
        """What is there of images while the language model runs forward."""
        return self._beside(self.run.held)

    @property
    def at_loss(self) -> Part:
        """What is there of them at the loss, forward."""
        found = self._beside(self.run.kept).terms
        held = self._embeddings if self.vision.wrapper in HELD_TO_THE_LOSS else 0
        return part({**found, OUTPUTS: found.get(OUTPUTS, 0) + held})

    @property
    def kept(self) -> Part:
        """What is there of them until the tower's own way back."""
        return self._beside(self.run.kept)

    def forward(self, *beside: Part) -> Iterator[Moment]:
        """Moments at which the tower computes, and at which its embeddings are put into the rows."""
        text = part({LAYER_INPUTS: self._text})
        for peak in self.run.forward:
            yield moment(IMAGES, *beside, text, self._sized(peak))
        counted = (1 + POSITION) * self.tokens * self.vision.out if self.on_gpu else 0
        held = part(self._at(self.run.held))
        yield moment(IMAGES, *beside, text, held, part({LAYER_INPUTS: self._text + counted}))

    def backward(self, *beside: Part) -> Iterator[Moment]:
        """Moments of the tower's way back, beside the gradient of the text's embeddings."""
        if not self.run.backward:
            return
        text = part({LAYER_INPUTS: 2 * self._text if self.hooked else 0})
        for peak in self.run.backward:
            yield moment(IMAGES_BACKWARD, *beside, text, self._sized(peak))
        counted = 3 * POSITION * self._embedded if self.on_gpu else 0
        taken = part({"backward": self._text + self._embeddings + counted})
        yield moment(IMAGES_BACKWARD, *beside, text, part(self._at(self.run.kept)), taken)

    def _beside(self, terms: Mapping[str, Form]) -> Part:
        """What is there of the tower, and the embeddings of the text where they are held beside the merged rows."""
        found = self._at(terms)
        return part({**found, LAYER_INPUTS: self._text} if self.hooked else found)

    def _at(self, terms: Mapping[str, Form]) -> dict[str, int]:
        return {name: size.at(self.patches, self.attended) for name, size in terms.items()}

    def _sized(self, peak: Peak) -> Sized:
        return sized(peak, self.patches, self.attended)

    @property
    def _text(self) -> int:
        """Bytes of the embedded rows."""
        return self.element * self.tokens * self.vision.out

    @property
    def _embedded(self) -> int:
        """Numbers of the embeddings of the images."""
        return self.patches // self.vision.square * self.vision.out

    @property
    def _embeddings(self) -> int:
        return self.element * self._embedded


TRAINED_LAYERS_ALONE = ("llamafactory",)
"""Frameworks that compute again only layers of which something is trained (LLaMA-Factory 0.9.5,
`model/model_utils/checkpointing.py`, `get_custom_gradient_checkpointing_func`)."""


def _attended(vision: Vision, patches: int, pixels: int | None) -> int:
    """Patches that each of them attends to: those of its image, or all of a micro-batch where a mask parts them."""
    if vision.kind == PIXTRAL:
        return patches
    return min(patches, vision.patches(pixels or 0)) if pixels is not None or vision.fixed else patches
