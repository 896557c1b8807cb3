"""Element sizes, in bytes, of the parts of a training step."""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog.dtypes import BYTES
from hbspec.plan import Training


class Precision(NamedTuple):
    """Element sizes of one training step, in bytes.

    Attributes:
        compute: element size of matrix products.
        stream: element size of the residual stream, which has the embedding's dtype: 4 after k-bit preparation.
        trained: element size of trainable parameters, their gradients, and torch's optimizer states.
        autocast: whether the trainer runs the step under torch's autocast, as it does for `bf16` and `fp16`.
    """

    compute: int
    stream: int
    trained: int
    autocast: bool

    @property
    def attention(self) -> int:
        """Element size of queries, keys and values: autocast converts a 4-byte stream to the compute dtype there."""
        return self.compute if self.autocast else self.stream


def precision_of(training: Training) -> Precision:
    """The element sizes of a training's dtypes."""
    compute, stream = BYTES[training.compute_dtype], BYTES[training.weights_dtype]
    return Precision(
        compute=compute,
        stream=stream,
        trained=BYTES[training.adapter_dtype] if training.adapters else stream,
        autocast=training.autocast,
    )
