"""Bounds of the MLPs and the experts of all layers."""

from __future__ import annotations

from hbspec.catalog import spelled_numbers as names
from hbspec.catalog.config_fields import MOST_LAYERS
from hbspec.catalog.spelled_numbers import Spelled
from hbspec.units import Interval

GATED = ("silu", "swish", "swiglu")
"""Activations that only MLPs with a gate have, where their width is `intermediate_size`."""

UNGATED = "relu2"
"""An activation that mostly MLPs without a gate have (BitNet has one)."""

MOST_EXPERTS = 1024
"""More are not matrices, but single neurons (Doge)."""

CHOSEN_UNSAID = (1, 4, 32)
"""Experts that a token visits where the config does not say: transformers' types have 1 to 22."""

SPARSE = ("sparse", "moe")
NONE = Interval.exact(0)


BLOCKS = {"-": 1, "mlp": 1, "E": 2, "moe": 2}
"""Layers that mix no tokens, by what they are called in a list of layers that do one thing each (Nemotron-H)."""


def single_blocks(found: Spelled) -> tuple[int, int, int] | None:
    """How many layers mix tokens, are MLPs, and are experts, where each is only one of them; None where it is not."""
    listed = found.config.get("layers_block_type") or found.config.get("hybrid_override_pattern")
    if not isinstance(listed, list | str) or len(listed) > MOST_LAYERS:
        return None
    kinds = [BLOCKS.get(str(one), 0) for one in listed]
    return (kinds.count(0), kinds.count(1), kinds.count(2)) if any(kinds) else None


def number_of_experts(found: Spelled) -> int:
    """Routed experts of a layer; 0 without."""
    if any(found.config.get(name) is False for name in ("is_moe", "use_moe", "enable_moe_block")):
        return 0
    experts = found.first(names.EXPERTS) or 0
    return experts if experts > 1 else 0


def mlps(found: Spelled, hidden: int, layers: int) -> Interval:
    """Parameters of all MLPs that are not routed, those beside the routed experts among them."""
    inner = found.all(names.INNER)
    if found.all(names.STATES) and (not inner or not found.all(names.HEADS)):
        return NONE
    gates = _matrices(found)
    factor = found.one("expansion_ratio", 4)
    widths = Interval(min(inner), inner[0], max(inner)) if inner else Interval(hidden, factor * hidden, factor * hidden)
    one = gates * widths * hidden * Interval(1, 1, 2 if found.has("use_double_wide_mlp") else 1)
    single = single_blocks(found)
    if single is None and not number_of_experts(found):
        return one * layers
    sparse, beside = sparse_layers(found, layers), _beside(found)
    dense = Interval(layers - sparse.high, layers - sparse.expected, layers - sparse.low)
    dense = Interval.exact(single[1]) if single else dense
    return one * dense + Interval(0, 3 * hidden, 3 * hidden) * beside * sparse


def experts(found: Spelled, hidden: int, layers: int) -> Interval:
    """Parameters of all routed experts and of what chooses them."""
    number = number_of_experts(found)
    if not number:
        return NONE
    widths = found.all(names.EXPERT_INNER) or found.all(names.INNER) or [hidden]
    gates, rows = _matrices(found), found.first(names.LATENT) or hidden
    one = Interval(max(2, gates.low), gates.expected, gates.high) * rows * Interval(min(widths), widths[0], max(widths))
    router = Interval(0, hidden, 2 * hidden)
    empty = found.one("zero_expert_num")  # experts that return what they get (LongCat), which may have weights
    return sparse_layers(found, layers) * (one + router) * Interval(number, number, number + empty)


def chosen(found: Spelled, number: int) -> Interval:
    """How many of so many routed experts a token visits."""
    said = found.all(names.CHOSEN)
    most = (min(said), said[0], max(said)) if said else CHOSEN_UNSAID
    return Interval(*(min(one, number) for one in most))


def sparse_layers(found: Spelled, layers: int) -> Interval:
    """How many layers have routed experts."""
    if single := single_blocks(found):
        return Interval.exact(single[2])
    listed = found.config.get("mlp_layer_types")
    if isinstance(listed, list) and len(listed) == layers:
        return Interval.exact(sum(any(word in str(kind) for word in SPARSE) for kind in listed))
    first = max(found.all(names.DENSE_FIRST, layers), default=0)
    alone = found.config.get("mlp_only_layers")
    first = max(first, len(alone) if isinstance(alone, list) else 0)
    most = max(0, layers - first)
    every = found.config.get(next((name for name in names.EVERY if name in found.config), ""))
    if isinstance(every, list):
        return Interval.exact(min(layers, sum(bool(one) for one in every)))
    if type(every) is int and every > 1:
        least = max(0, layers // every - first)
        return Interval(least, min(most, max(least, -(-most // every))), min(most, -(-layers // every)))
    return Interval.exact(most)


def _beside(found: Spelled) -> Interval:
    """Width of the MLP beside the routed experts of a layer: of shared experts, said or not."""
    said, number = found.all(names.SHARED_INNER), found.first(names.SHARED) or 0
    one = max(found.all(names.EXPERT_INNER) or found.all(names.INNER) or [0])
    high = max([number * one, one, max(number, 1) * max(said, default=0)])
    return Interval(0, min(high, max([number * one, *said])), high)


def _matrices(found: Spelled) -> Interval:
    """Matrices of an MLP: two, or three with a gate; a width may count gate and value together, which is half."""
    said = (found.config.get(name) for name in ("mlp_hidden_act", "hidden_act", "hidden_activation"))
    activation = next((one for one in said if isinstance(one, str)), "")
    if activation == UNGATED:
        return Interval(2, 2, 3)
    if activation in GATED and found.has("intermediate_size", "moe_intermediate_size", "expert_ffn_hidden_size"):
        return Interval.exact(3)
    return Interval(1.5, 3 if found.has("intermediate_size") else 2, 3)
