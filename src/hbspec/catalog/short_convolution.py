"""Layers with a gated short convolution instead of attention: their sizes and their tensors.

Shapes and names are those of transformers 5.23.0, `models/lfm2/modeling_lfm2.py` (`Lfm2ShortConv`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hbspec.catalog.config_fields import Fields
from hbspec.catalog.weight import Weight

PREFIX = "conv."
"""What the tensors' names begin with."""


class ShortConvolution(NamedTuple):
    """Sizes of the layers with a short convolution, as wide as the residual stream.

    Attributes:
        kernel: tokens that it sees.
        bias: biases in the convolution and in both projections.
    """

    kernel: int
    bias: bool


def short_convolution_of(fields: Fields) -> ShortConvolution:
    """The sizes of layers with a short convolution.

    Raises:
        ArchitectureError: a field is not of its kind.
    """
    return ShortConvolution(fields.whole("conv_L_cache"), fields.flag("conv_bias"))


def short_convolution_weights(sizes: ShortConvolution, layers: int, hidden: int) -> Iterator[Weight]:
    """All tensors of so many layers' short convolutions."""
    yield Weight(f"{PREFIX}in_proj", "linear", layers, 3 * hidden, hidden)
    yield Weight(f"{PREFIX}conv", "convolution", layers, hidden, sizes.kernel)
    yield Weight(f"{PREFIX}out_proj", "linear", layers, hidden, hidden)
    if sizes.bias:
        for name, rows in (("in_proj", 3 * hidden), ("conv", hidden), ("out_proj", hidden)):
            yield Weight(f"{PREFIX}{name}.bias", "bias", layers, rows, 1)


def adjusted_width(fields: Fields, said: int) -> int:
    """Width of an MLP, where the config says that of one without a gate.

    Source: transformers 5.23.0, `Lfm2MLP`.

    Raises:
        ArchitectureError: a field is not of its kind.
    """
    if not fields.flag("block_auto_adjust_ff_dim"):
        return said
    width, factor = int(2 * said / 3), fields.get("block_ffn_dim_multiplier")
    if type(factor) not in (int, float) or not 0 < factor < said:
        raise fields.fail("block_ffn_dim_multiplier", "is not a positive number")
    multiple = fields.whole("block_multiple_of")
    adjusted = -(-int(factor * width) // multiple) * multiple
    if not adjusted:
        raise fields.fail("intermediate_size", f"{said} leaves no width for an MLP that is two thirds as wide")
    return adjusted
