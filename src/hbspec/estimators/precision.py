"""In how many bytes the parts of a training step hold a number."""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog.dtypes import BYTES
from hbspec.plan import Training


class Precision(NamedTuple):
    """Element sizes of one training step, in bytes.

    Attributes:
        compute: of matrix products.
        stream: of the residual stream, which has the dtype of the embedding: 4 after k-bit preparation.
        trained: of what is trained, of its gradients, and of torch's optimizer states.
        autocast: whether the trainer runs the step under torch's autocast, as it does for `bf16` and `fp16`.
    """

    compute: int
    stream: int
    trained: int
    autocast: bool

    @property
    def attention(self) -> int:
        """Of queries, keys and values: autocast turns a 4-byte stream into the compute dtype there."""
        return self.compute if self.autocast else self.stream


def precision_of(training: Training) -> Precision:
    """The element sizes that a plan's dtypes mean."""
    compute, stream = BYTES[training.compute_dtype], BYTES[training.weights_dtype]
    return Precision(
        compute=compute,
        stream=stream,
        trained=BYTES[training.adapter_dtype] if training.adapters else stream,
        autocast=training.autocast,
    )
