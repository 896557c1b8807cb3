"""Multi-head latent attention: its sizes and its tensors.

Shapes and names are those of transformers 5.23.0, `models/deepseek_v3/modeling_deepseek_v3.py` and
`models/deepseek_v2/modeling_deepseek_v2.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hbspec.catalog.config_fields import Fields
from hbspec.catalog.weight import Weight


class LatentAttention(NamedTuple):
    """Sizes of latent attention, names as in config.json.

    Attributes:
        q_lora_rank: width of what queries are projected from; 0 where that is the residual stream.
        kv_lora_rank: width of what keys and values are projected from.
        qk_nope_head_dim: numbers of a head of queries and keys that are not rotated.
        qk_rope_head_dim: those that are; all heads of keys share them.
        v_head_dim: width of a head of values.
    """

    q_lora_rank: int
    kv_lora_rank: int
    qk_nope_head_dim: int
    qk_rope_head_dim: int
    v_head_dim: int

    @property
    def head(self) -> int:
        """Width of a head of queries and keys."""
        return self.qk_nope_head_dim + self.qk_rope_head_dim

    @property
    def compressed(self) -> int:
        """Numbers a token that an engine caches in a layer: the latent, and what all heads of keys share."""
        return self.kv_lora_rank + self.qk_rope_head_dim

    def projections(self, hidden: int, heads: int) -> dict[str, tuple[int, int]]:
        """Columns and rows of the linear modules by name, in the order in which they run."""
        queries = heads * self.head
        if self.q_lora_rank:
            first = {"q_a_proj": (hidden, self.q_lora_rank), "q_b_proj": (self.q_lora_rank, queries)}
        else:
            first = {"q_proj": (hidden, queries)}
        return first | {
            "kv_a_proj_with_mqa": (hidden, self.compressed),
            "kv_b_proj": (self.kv_lora_rank, heads * (self.qk_nope_head_dim + self.v_head_dim)),
            "o_proj": (heads * self.v_head_dim, hidden),
        }

    def norms(self) -> dict[str, int]:
        """Widths of the norms by name."""
        return {"q_a_layernorm": self.q_lora_rank, "kv_a_layernorm": self.kv_lora_rank}


BIASED = frozenset({"q_a_proj", "kv_a_proj_with_mqa", "o_proj"})
"""Modules that have a bias where the config says so."""


def latent_attention_of(fields: Fields) -> LatentAttention:
    """The sizes of latent attention.

    Raises:
        ArchitectureError: a field is not of its kind.
    """
    sizes = (fields.whole(name) for name in LatentAttention._fields[1:])
    return LatentAttention(fields.optional_whole("q_lora_rank") or 0, *sizes)


def latent_attention_weights(
    sizes: LatentAttention, layers: int, hidden: int, heads: int, bias: bool
) -> Iterator[Weight]:
    """All tensors of so many layers' attention."""
    for name, (columns, rows) in sizes.projections(hidden, heads).items():
        yield Weight(name, "linear", layers, rows, columns)
        if bias and name in BIASED:
            yield Weight(f"{name}.bias", "bias", layers, rows, 1)
    for name, width in sizes.norms().items():
        if width:
            yield Weight(name, "norm", layers, width, 1)
