"""Layers with a state space, Mamba-2, instead of attention or beside it: their sizes and their tensors.

Shapes and names are those of transformers 5.23.0, `models/granitemoehybrid/modeling_granitemoehybrid.py`
(`GraniteMoeHybridMambaLayer`), which other families repeat.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hbspec.catalog.config_fields import Fields
from hbspec.catalog.weight import Weight


class StateSpace(NamedTuple):
    """Sizes of the layers with a state space.

    Attributes:
        prefix: what the tensors' names begin with.
        heads, width: how many heads there are, and numbers of each.
        state: numbers of a state for each number of a head.
        groups: groups of heads, each of which shares what writes and reads its states.
        kernel: tokens that the convolution before it sees.
        chunk: tokens of a chunk; a row is padded to whole ones.
        convolution_bias: a bias in the convolution.
        bias, out_bias: biases on the projections before it and behind it.
        normed: whether a norm comes with the gate.
        norm_first: whether that norm comes before the gate.
        scaled: whether what is projected is multiplied by numbers of the config.
    """

    prefix: str
    heads: int
    width: int
    state: int
    groups: int
    kernel: int
    chunk: int
    convolution_bias: bool
    bias: bool
    out_bias: bool
    normed: bool = True
    norm_first: bool = False
    scaled: bool = False

    @property
    def inner(self) -> int:
        """Width of all heads per token."""
        return self.heads * self.width

    @property
    def shared(self) -> int:
        """Width per token of what writes the states of all groups, equal to that of what reads them."""
        return self.groups * self.state

    @property
    def convolved(self) -> int:
        """Width per token of what the convolution mixes."""
        return self.inner + 2 * self.shared

    @property
    def projected(self) -> int:
        """Width per token of the first projection: gates, what is convolved, and a step of each head."""
        return self.inner + self.convolved + self.heads

    @property
    def states(self) -> int:
        """Numbers of one request's states in one layer, which do not grow with its tokens."""
        return self.inner * self.state

    def padding(self, tokens: int) -> int:
        """Tokens that fill the last chunk of a row of so many."""
        return -tokens % self.chunk


def state_space_of(fields: Fields) -> StateSpace | None:
    """The sizes of layers with a state space; None where the family has none.

    Raises:
        ArchitectureError: a field is not of its kind, or heads and groups do not divide.
    """
    names = fields.family.state_space
    if not names:
        return None
    heads = fields.whole(names["heads"])
    inner, said = _inner(fields), fields.get(names["width"])
    width = inner // heads if said == "auto" and inner is not None else fields.whole(names["width"])
    if inner is not None and heads * width != inner:
        raise fields.fail(names["width"], f"{width} x {heads} heads are not the {inner} numbers of the state space")
    groups = fields.whole(names["groups"])
    if heads % groups:
        raise fields.fail(names["groups"], f"{groups} does not divide {names['heads']} {heads}")
    return StateSpace(
        prefix=names["prefix"],
        heads=heads,
        width=width,
        state=fields.whole(names["state"]),
        groups=groups,
        kernel=fields.whole(names["kernel"]),
        chunk=fields.whole(names["chunk"]),
        convolution_bias=fields.flag(names["convolution_bias"]),
        bias=fields.flag(names["bias"]),
        out_bias=fields.flag(names["out_bias"]),
        normed="normed" not in names or fields.flag(names["normed"]),
        norm_first="norm_first" in names and fields.flag(names["norm_first"]),
        scaled="scaled" in names,
    )


def _inner(fields: Fields) -> int | None:
    """Width of all heads where the config says it by itself; None where it follows from the heads."""
    names = fields.family.state_space
    said = fields.optional_whole(names["inner"]) if "inner" in names else None
    if said is not None:
        return said
    factor = names.get("expansion", "")
    return fields.whole(factor) * fields.whole("hidden_size") if factor else None


def state_space_weights(sizes: StateSpace, layers: int, hidden: int) -> Iterator[Weight]:
    """All tensors of so many layers' state spaces."""
    prefix = sizes.prefix
    yield Weight(f"{prefix}in_proj", "linear", layers, sizes.projected, hidden)
    yield Weight(f"{prefix}conv1d", "convolution", layers, sizes.convolved, sizes.kernel)
    if sizes.convolution_bias:
        yield Weight(f"{prefix}conv1d.bias", "bias", layers, sizes.convolved, 1)
    for name in ("dt_bias", "A_log", "D"):
        yield Weight(prefix + name, "bias", layers, sizes.heads, 1)
    if sizes.normed:
        yield Weight(f"{prefix}norm", "norm", layers, sizes.inner, 1)
    yield Weight(f"{prefix}out_proj", "linear", layers, hidden, sizes.inner)
    if sizes.bias:
        yield Weight(f"{prefix}in_proj.bias", "bias", layers, sizes.projected, 1)
    if sizes.out_bias:
        yield Weight(f"{prefix}out_proj.bias", "bias", layers, hidden, 1)
