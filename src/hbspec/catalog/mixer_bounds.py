"""Bounds of what mixes tokens in a layer: attention of all kinds, state spaces, convolutions and recurrences."""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.catalog import spelled_numbers as names
from hbspec.catalog.spelled_numbers import Spelled
from hbspec.units import Interval

CROSSED = ("encoder_layers", "encoder_attention_heads", "num_encoder_layers", "cross_attention_layers")
"""Fields of types that may attend to an encoder too."""

SCANS = 8
"""Numbers that a scan holds at once for each of its states, or pairs of tokens in a chunk (transformers 5.23.0, the
paths without kernels of `modeling_mamba.py` and `modeling_mamba2.py`)."""

STATE_HEADS = ("mamba_num_heads", "mamba_n_heads", "n_mamba_heads", "linear_num_value_heads", "linear_num_heads")

LINEAR_STATES = 512
"""Numbers per token and head of linear attention in chunks: pairs in chunks of 64, and the chunk's share of a state."""

RECURRENT = ("lru_width", "attention_hidden_size", "linear_num_key_heads", "linear_num_heads")
"""Fields of layers that carry a state, other than the sizes of states."""


def mixers(found: Spelled, hidden: int) -> Interval | None:
    """Parameters of what mixes tokens in one layer; None where the config tells no way that is known."""
    ways = [*_attention(found, hidden), *_linear(found, hidden), *_states(found, hidden), *_others(found, hidden)]
    if not ways:
        return None
    together = max if _alternate(found) else sum
    crossed = 2 if found.has(*CROSSED) else 1
    high = crossed * together([way.high for way in ways])
    low = min(way.low for way in ways)
    return Interval(low, min(max(low, max(way.expected for way in ways)), high), high)


def is_recurrent(found: Spelled) -> bool:
    """Whether layers carry a state from token to token."""
    return bool(found.all(names.STATES)) or found.has(*RECURRENT) or not found.all(names.HEADS)


def scanned(found: Spelled, hidden: int) -> int:
    """Numbers per token that one layer holds at most while it scans its states."""
    states = max(found.all(names.STATES), default=0)
    chunk = found.first(("chunk_size", "mamba_chunk_size"))
    heads = max(found.all((*STATE_HEADS, *names.HEADS)), default=1)
    inner = max([(found.first(("expand", "mamba_expand")) or 2) * hidden, *found.all(("intermediate_size",))])
    if states:
        return SCANS * (heads * (chunk + states) if chunk else inner * states)
    return SCANS * heads * LINEAR_STATES if is_recurrent(found) else 0


def _alternate(found: Spelled) -> bool:
    """Whether the config lists which layer mixes in which way, so that none does in all of them."""
    said = (found.config.get(name) for name in names.PATTERNS)
    return any(isinstance(one, list | str) and len(set(map(str, one))) > 1 for one in said)


def _attention(found: Spelled, hidden: int) -> Iterator[Interval]:
    """Queries, keys, values and the output; the high end has a gate as wide as the queries."""
    heads = found.all(names.HEADS)
    if not heads:
        return
    if found.has("kv_lora_rank"):
        yield _compressed(found, hidden)
        return
    widths = found.all(names.HEAD_WIDTHS) or [-(-hidden // max(heads)), hidden // max(heads)]
    keys = found.all(names.KEY_HEADS) or heads
    mixed = _alternate(found)
    queries = [min(heads) * min(widths), heads[0] * widths[0], max(heads) * max(widths)]
    fewest = 1 if found.has("multi_query", "multi_query_attention") else min(keys)
    kept = [fewest * min(widths) // 2, keys[0] * widths[0], max(*keys, *(heads if mixed else keys)) * max(widths)]
    rank = found.one("q_lora_rank")
    low = hidden * (2 * queries[0] + 2 * kept[0])
    if rank or found.has("o_lora_rank"):
        low = rank * (hidden + queries[0])
    expected, high = hidden * (2 * queries[1] + 2 * kept[1]), hidden * (3 * queries[2] + 2 * kept[2])
    more = rank * (hidden + queries[2]) + _indexer(found, hidden)
    yield Interval(low, min(max(low, expected), high + more), high + more)


def _compressed(found: Spelled, hidden: int) -> Interval:
    """Attention with compressed keys and values (DeepSeek-V2): low-rank pairs, and an output."""
    heads, rank = max(found.all(names.HEADS)), found.one("kv_lora_rank")
    plain, rotated = found.one("qk_nope_head_dim"), found.one("qk_rope_head_dim")
    values = found.one("v_head_dim") or found.one("head_dim")
    queries = heads * (plain + rotated or found.one("head_dim"))
    asked = found.one("q_lora_rank")
    query = asked * (hidden + queries) if asked else hidden * queries
    keys = hidden * (rank + rotated) + rank * heads * (plain + values)
    certain, output = query + keys, heads * values * hidden
    return Interval(certain + output, certain + output, certain + 2 * output + _indexer(found, hidden))


def _indexer(found: Spelled, hidden: int) -> int:
    """Heads that choose the tokens to attend to (DeepSeek-V3.2)."""
    heads, width = found.one("index_n_heads"), found.one("index_head_dim")
    return heads * width * max(found.one("q_lora_rank"), hidden) + hidden * (width + heads)


def _linear(found: Spelled, hidden: int) -> Iterator[Interval]:
    """Linear attention: queries, keys, values, gates and the output."""
    keys = found.one("linear_num_key_heads") * found.one("linear_key_head_dim")
    values = found.one("linear_num_value_heads") * found.one("linear_value_head_dim")
    keys = keys or found.one("linear_num_heads") * found.one("linear_head_dim")
    values = values or keys
    if keys:
        most = 2 * keys + 4 * values + 4 * (found.one("linear_num_value_heads") or found.one("linear_num_heads"))
        yield Interval(hidden * (2 * keys + 2 * values), hidden * (2 * keys + 3 * values), hidden * most)


def _states(found: Spelled, hidden: int) -> Iterator[Interval]:
    """State spaces: two ways in, one out, and what makes the steps and states."""
    states = found.all(names.STATES)
    if not states:
        return
    factor = found.first(("expand", "mamba_expand")) or 2
    heads = found.first(("mamba_num_heads", "mamba_n_heads", "n_mamba_heads")) or 0
    width = found.first(("mamba_head_dim", "mamba_d_head", "mamba_headdim")) or 0
    pure = not found.all(names.HEADS)
    inner = [factor * hidden, *found.all(("mamba_d_ssm",)), *([heads * width] if heads * width else [])]
    inner = found.all(("intermediate_size",)) or inner if pure else inner
    rank = found.first(("time_step_rank", "mamba_dt_rank", "dt_rank")) or -(-hidden // 16)
    groups = found.first(("n_groups", "mamba_n_groups", "mamba_ngroups")) or 1
    steps = 2 * max(inner) * (rank + 2 * max(states)) + 2 * hidden * groups * max(states)
    per_head = hidden * max([heads, *found.all(names.HEADS)])
    low, high = 3 * hidden * min(inner), 3 * hidden * max(inner) + steps + per_head
    yield Interval(low, 3 * hidden * inner[-1], high)


def _others(found: Spelled, hidden: int) -> Iterator[Interval]:
    """Gated short convolutions (LFM2), linear recurrences (Griffin), and RWKV's mixing of times."""
    if found.has("conv_L_cache"):
        yield Interval(3 * hidden**2, 4 * hidden**2, 4 * hidden**2)
    if width := found.one("lru_width"):
        yield Interval(3 * hidden * width, 3 * hidden * width, 3 * hidden * width + 2 * width**2)
    if width := found.one("attention_hidden_size") if not found.all(names.HEADS) else 0:
        yield Interval(4 * hidden * width, 5 * hidden * width, 5 * hidden * width)
