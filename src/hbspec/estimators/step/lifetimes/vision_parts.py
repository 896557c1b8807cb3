"""The parts of a tower for images around its layers: what embeds patches, and what makes tokens of the row of them.

Sources: transformers 5.23.0, `models/*/modeling_*.py` of the wrappers and their towers.
"""

from __future__ import annotations

from collections.abc import Callable

from hbspec.catalog.dtypes import FLOAT32
from hbspec.catalog.vision import CLIP, PIXTRAL, QWEN2, QWEN2_5, QWEN3, SIGLIP, Vision
from hbspec.catalog.weights import LAYER_NORM
from hbspec.estimators.step.lifetimes import layouts, products
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.activations import Activation, activated
from hbspec.estimators.step.lifetimes.autograd import ParameterTensor, Sink, Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.linear import linear
from hbspec.estimators.step.lifetimes.modules import SHIFTED, Linear, Machine, Norm, narrowed, norm
from hbspec.estimators.step.lifetimes.program import Program
from hbspec.estimators.step.lifetimes.vision_layer import TERM, Around, VisionLayer

OUTPUTS = "image_features"
"""The term of what the wrapper holds of its tower while the language model runs."""

QWEN = QWEN2, QWEN2_5, QWEN3


class TowerParts:
    """Makes the modules of a tower, in the program's dtypes.

    Attributes:
        vision: its sizes.
        program: what runs.

    Args:
        vision: its sizes.
        program: what runs.
        trained: whether the tower is trained.
        projecting: whether the projector is.
    """

    def __init__(self, vision: Vision, program: Program, *, trained: bool = False, projecting: bool = False) -> None:
        self.vision, self.program, self._trained, self._projecting = vision, program, trained, projecting

    def parameter(self, numel: int, *, projector: bool = False, element: int | None = None) -> ParameterTensor:
        """A weight."""
        trained = self._projecting if projector else self._trained
        sink = Sink(accumulates=self.program.accumulates) if trained else None
        return ParameterTensor(Form(numel), element or self.program.stream, trained, sink)

    def norm(self, width: int, kind: str = LAYER_NORM, *, projector: bool = False) -> Norm:
        """A norm of so many numbers."""
        bias = self.parameter(width, projector=projector) if kind == LAYER_NORM else None
        return Norm(self.parameter(width, projector=projector), width, kind, bias)

    def linear(self, columns: int, rows: int, *, bias: bool = True, each: int = 1, projector: bool = False) -> Linear:
        """A linear module; `each`: how many patches it takes at once."""
        program = self.program
        trained = self._projecting if projector else self._trained
        quantized = "" if trained or program.quantization is None else program.quantization
        quantized = quantized if quantized in ("", "int8") else "4bit"
        weight = self.parameter(columns * rows, projector=projector, element=program.compute if quantized else None)
        added = self.parameter(rows, projector=projector) if bias else None
        made = Linear(weight, columns, rows, quantized, None, added, program.double_quant, program.inputs_kept)
        return made._replace(share=(1, each))

    @property
    def kind(self) -> str:
        """How the norms of the layers are computed."""
        return "rms" if self.vision.kind in (QWEN2_5, PIXTRAL) else LAYER_NORM

    def layer(self, index: int) -> VisionLayer:
        """A layer's modules."""
        vision, width, bias = self.vision, self.vision.width, self.vision.kind != PIXTRAL
        qwen, eager = vision.kind in QWEN, self.program.attention == "eager"
        within = vision.window and index not in vision.whole
        heads = {"qkv_proj": self.linear(width, 3 * width)} if qwen else {}
        names = () if qwen else ("q_proj", "k_proj", "v_proj")
        heads |= {name: self.linear(width, width, bias=bias) for name in names}
        mlp = ("gate_proj", "up_proj") if vision.gated else ("up_proj",)
        return VisionLayer(
            linears={
                **heads,
                "o_proj": self.linear(width, width, bias=bias),
                **{name: self.linear(width, vision.inner, bias=bias) for name in mlp},
                "down_proj": self.linear(vision.inner, width, bias=bias),
            },
            first=self.norm(width, self.kind),
            second=self.norm(width, self.kind),
            heads=vision.heads,
            wide=qwen,
            listed=qwen and self.program.attention != "flash_attention_2",
            scores=Form(0, vision.heads * vision.window**2) if within else Form(0, 0, vision.heads),
            eager=eager,
            activation=Activation("quick_gelu" if vision.quick else "gelu"),
        )

    def around(self, machine: Machine, x: Tensor) -> Around:
        """What all layers share: cosines and sines for the patches, and Pixtral's mask of all pairs of them."""
        vision, tape = self.vision, machine.tape
        if vision.kind in (SIGLIP, CLIP):
            return Around()
        tape.term = TERM
        element = FLOAT32 if vision.kind in QWEN else x.element
        cosines, sines = (tape.new(Form(0, vision.width // vision.heads), element) for _ in range(2))
        masked = vision.kind == PIXTRAL and self.program.attention != "flash_attention_2"
        return Around((cosines, sines), tape.new(Form(0, 0, 1), x.element) if masked else None)


def embedded_patches(
    machine: Machine, parts: TowerParts, hooked: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor | None]:
    """The patches as the first layer takes them, and the pixels where Qwen's `get_image_features` holds them."""
    vision, tape, width = parts.vision, machine.tape, parts.vision.width
    tape.term = TERM
    pixels = tape.new(Form(0, vision.patch), machine.stream) if machine.stream < FLOAT32 else op.NO_STORAGE
    x = hooked(_convolved(machine, parts, pixels))
    held = pixels if vision.kind in QWEN else None
    del pixels
    if vision.kind == QWEN2_5:
        x = layouts.gathered(tape, x, x.numel, op.NO_STORAGE)
    elif vision.kind == QWEN3:
        table = parts.parameter(0)
        taken = op.turn(tape, tape.new(Form(0, 4 * width), table.element), FLOAT32)
        summed = tape.new(Form(0, width), FLOAT32)
        del taken
        x = op.add(tape, x, op.cast(tape, summed, machine.stream), TERM)
    elif vision.kind == SIGLIP:
        x = op.add(tape, x, tape.new(Form(vision.fixed**2 * width), machine.stream), TERM)
    elif vision.kind == CLIP:
        x = op.clone(tape, x)  # with one more in front
        x = op.add(tape, x, tape.new(Form(vision.fixed**2 * width), machine.stream), TERM)
        x = norm(machine, x, parts.norm(width), TERM)
    elif vision.kind == PIXTRAL:
        x = norm(machine, op.clone(tape, x), parts.norm(width, "rms"), TERM)
    return x, held


def _convolved(machine: Machine, parts: TowerParts, pixels: Tensor) -> Tensor:
    """Each patch of pixels times the kernel, which is as large."""
    vision = parts.vision
    kernel = parts.parameter(vision.patch * vision.width)
    out, work = Form(0, vision.width), Form(0, vision.patch * vision.width)
    if machine.compute is None:
        return products.matmul(machine.tape, pixels, kernel, out, work)
    pixels = op.cast(machine.tape, pixels, machine.compute)
    return products.matmul(machine.tape, pixels, narrowed(machine.tape, kernel, machine.compute, False), out, work)


def merged(machine: Machine, parts: TowerParts, x: Tensor, *, normed: bool = True) -> Tensor:
    """Squares of patches through Qwen's merger; the norm of its deep ones is as wide as a square."""
    vision, tape = parts.vision, machine.tape
    each, wide = vision.square, vision.square * vision.width
    kind = "rms" if vision.kind == QWEN2_5 else LAYER_NORM
    made = parts.norm(vision.width if normed else wide, kind, projector=True)
    x = norm(machine, x, made, TERM) if normed else _wide_norm(machine, x, made, each)
    x = linear(machine, x, parts.linear(wide, wide, each=each, projector=True), TERM)
    tape.term = TERM
    x = activated(machine, Activation("gelu"), x)
    return linear(machine, x, parts.linear(wide, vision.out, each=each, projector=True), OUTPUTS)


def _wide_norm(machine: Machine, x: Tensor, module: Norm, each: int) -> Tensor:
    return norm(machine, x, module._replace(width=module.width // each), TERM)


def projected(machine: Machine, parts: TowerParts, read: Tensor, x: Tensor) -> dict[str, Tensor]:
    """What the wrapper holds until its language model is done; `embeddings` is what takes its place in the rows."""
    vision, tape = parts.vision, machine.tape
    if vision.kind in QWEN:
        pooled = merged(machine, parts, x)
        tape.term = OUTPUTS
        pooled = layouts.gathered(tape, pooled, pooled.numel, op.NO_STORAGE) if vision.kind == QWEN2_5 else pooled
        return {"last": x, "pooled": pooled, "embeddings": op.clone(tape, pooled)}
    if vision.wrapper == "gemma3":
        last = norm(machine, x, parts.norm(vision.width), OUTPUTS)
        pooled = _pooled(machine, parts, last)
        tape.term = OUTPUTS
        return {"last": last, "pooled": pooled, "embeddings": op.cast(tape, pooled, machine.stream)}
    pooled = _two(machine, parts, _squares(machine, parts, read) if vision.wrapper == "mistral3" else read)
    tape.term = OUTPUTS
    whole = op.clone(tape, pooled)
    return {"last": x, "read": read, "pooled": pooled, "embeddings": op.cast(tape, whole, machine.stream)}


def _pooled(machine: Machine, parts: TowerParts, x: Tensor) -> Tensor:
    """Gemma 3's projector: the mean of each square, normed and multiplied."""
    vision, tape, square = parts.vision, machine.tape, parts.vision.square
    tape.term = TERM
    rows = op.clone(tape, x)
    means = _averages(machine, rows, Form(0, vision.width // square))
    del rows
    means = norm(machine, means, parts.norm(vision.width, SHIFTED, projector=True), TERM)
    weight = parts.parameter(vision.width * vision.out, projector=True)
    out, work = Form(0, vision.out // square), Form(0, vision.width * vision.out // square)
    if machine.compute is None:
        found = products.matmul(tape, means, weight, out, work)
    else:
        means = op.cast(tape, means, machine.compute)
        found = products.matmul(tape, means, narrowed(tape, weight, machine.compute, False), out, work)
    tape.term = OUTPUTS
    return op.cast(tape, found, x.element)


def _averages(machine: Machine, x: Tensor, numel: Form) -> Tensor:
    """`avg_pool2d`, which holds its input."""
    tape, before, element = machine.tape, x.numel, x.element
    held = [tape.save(x)] if x.node is not None else []
    return tape.record(tape.new(numel, element), [x.node], lambda _: [tape.new(before, element, op.BACKWARD)], held)


def _squares(machine: Machine, parts: TowerParts, x: Tensor) -> Tensor:
    """Mistral 3's norm and merger of squares of patches."""
    vision, tape, each = parts.vision, machine.tape, parts.vision.square
    x = norm(machine, x, parts.norm(vision.width, "rms", projector=True), TERM)
    tape.term = TERM
    unfolded = op.clone(tape, x)
    x = op.clone(tape, unfolded)
    module = parts.linear(each * vision.width, vision.width, bias=False, each=each, projector=True)
    return linear(machine, x, module, TERM)


def _two(machine: Machine, parts: TowerParts, x: Tensor) -> Tensor:
    """LLaVA's projector: two linear modules with an activation between them."""
    vision, each = parts.vision, parts.vision.square
    first = parts.linear(vision.width, vision.out, bias=vision.bias, each=each, projector=True)
    x = linear(machine, x, first, TERM)
    machine.tape.term = TERM
    x = activated(machine, Activation("gelu"), x)
    second = parts.linear(vision.out, vision.out, bias=vision.bias, each=each, projector=True)
    return linear(machine, x, second, OUTPUTS)
