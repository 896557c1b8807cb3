"""Layers with linear attention, a gated delta rule, instead of attention: their sizes and their tensors.

Shapes and names are those of transformers 5.23.0, `models/qwen3_next/modeling_qwen3_next.py` and
`models/qwen3_5/modeling_qwen3_5.py` (`GatedDeltaNet`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hbspec.catalog.config_fields import Fields
from hbspec.catalog.families.family import JOINED
from hbspec.catalog.weight import Weight

PREFIX = "linear_attn."
"""What the tensors' names begin with."""


class LinearAttention(NamedTuple):
    """Sizes of the layers with linear attention, names as in config.json without `linear_`.

    Attributes:
        num_key_heads, key_head_dim: heads of queries and of keys, and their width.
        num_value_heads, value_head_dim: heads of values, and their width.
        conv_kernel_dim: tokens that the convolution before it sees.
    """

    num_key_heads: int
    key_head_dim: int
    num_value_heads: int
    value_head_dim: int
    conv_kernel_dim: int

    @property
    def key_size(self) -> int:
        """Width of all keys per token, equal to the width of all queries."""
        return self.num_key_heads * self.key_head_dim

    @property
    def value_size(self) -> int:
        """Width of all values per token."""
        return self.num_value_heads * self.value_head_dim

    @property
    def convolved(self) -> int:
        """Width of queries, keys and values per token, which the convolution mixes."""
        return 2 * self.key_size + self.value_size

    @property
    def state(self) -> int:
        """Numbers of one request's state in one layer, which do not grow with its tokens."""
        return self.num_value_heads * self.key_head_dim * self.value_head_dim

    @property
    def tail(self) -> int:
        """Numbers that the convolution of one layer keeps of one request."""
        return self.convolved * self.conv_kernel_dim

    def projections(self, how: str) -> dict[str, int]:
        """Rows of the projections of the residual stream by their names, in the order in which they run."""
        if how == JOINED:
            return {"in_proj_qkvz": self.convolved + self.value_size, "in_proj_ba": 2 * self.num_value_heads}
        heads = self.num_value_heads
        return {"in_proj_qkv": self.convolved, "in_proj_z": self.value_size, "in_proj_b": heads, "in_proj_a": heads}


def linear_attention_of(fields: Fields) -> LinearAttention | None:
    """The sizes of layers with linear attention; None where the family has none.

    Raises:
        ArchitectureError: a field is not of its kind, or the heads do not divide.
    """
    if not fields.family.linear_attention:
        return None
    found = LinearAttention(*(fields.whole(f"linear_{name}") for name in LinearAttention._fields))
    if found.num_value_heads % found.num_key_heads:
        message = f"{found.num_key_heads} does not divide linear_num_value_heads {found.num_value_heads}"
        raise fields.fail("linear_num_key_heads", message)
    return found


def linear_attention_weights(sizes: LinearAttention, how: str, layers: int, hidden: int) -> Iterator[Weight]:
    """All tensors of so many layers' linear attention."""
    for name, rows in sizes.projections(how).items():
        yield Weight(PREFIX + name, "linear", layers, rows, hidden)
    yield Weight(f"{PREFIX}conv1d", "convolution", layers, sizes.convolved, sizes.conv_kernel_dim)
    for name in ("dt_bias", "A_log"):
        yield Weight(PREFIX + name, "bias", layers, sizes.num_value_heads, 1)
    yield Weight(f"{PREFIX}norm", "norm", layers, sizes.value_head_dim, 1)
    yield Weight(f"{PREFIX}out_proj", "linear", layers, hidden, sizes.value_size)
