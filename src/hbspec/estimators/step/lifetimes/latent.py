"""Multi-head latent attention over shapes.

Source: transformers 5.23.0, `DeepseekV3Attention` of `models/deepseek_v3/modeling_deepseek_v3.py` and
`DeepseekV2Attention` of `models/deepseek_v2/modeling_deepseek_v2.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hbspec.catalog.dtypes import FLOAT32
from hbspec.catalog.latent_attention import LatentAttention
from hbspec.estimators.step.lifetimes import layouts
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.attention import Eager, attend
from hbspec.estimators.step.lifetimes.autograd import Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.linear import linear
from hbspec.estimators.step.lifetimes.modules import Machine, norm
from hbspec.estimators.step.lifetimes.tape import Tape

if TYPE_CHECKING:
    from hbspec.estimators.step.lifetimes.decoder import DecoderLayer

TERM = "attention"


def latent_attention(
    machine: Machine, layer: DecoderLayer, sizes: LatentAttention, x: Tensor
) -> tuple[Tensor, Tensor | None]:
    """The output of attention, and its weights where all of them are there; what has a name lives until it is done."""
    tape, heads = machine.tape, layer.heads
    queries = layouts.laid_out(tape, _queries(machine, layer, x))
    straight, turned = layouts.split(
        tape, queries, [Form(0, heads * sizes.qk_nope_head_dim), Form(0, heads * sizes.qk_rope_head_dim)]
    )
    compressed = linear(machine, x, layer.linears["kv_a_proj_with_mqa"], TERM)
    tape.term = TERM
    latent, shared = layouts.split(tape, compressed, [Form(0, sizes.kv_lora_rank), Form(0, sizes.qk_rope_head_dim)])
    latent = norm(machine, latent, layer.norms["kv_a_layernorm"], "norms")
    tape.term = TERM
    turned, shared = _in_pairs(tape, turned, shared) if layer.rotated_in_pairs else _complex(tape, turned, shared)
    query = layouts.joined(tape, straight, turned)
    key, value = _expanded(machine, layer, sizes, latent, shared)
    dropped = "attention" in layer.dropouts
    eager = Eager(False, False, layer.several_rows, dropped, apart=True) if layer.attention == "eager" else None
    out, weights = attend(machine, eager, layer.masked, (heads, heads), query, key, value)
    return linear(machine, out, layer.linears["o_proj"], TERM), weights


def _queries(machine: Machine, layer: DecoderLayer, x: Tensor) -> Tensor:
    if "q_proj" in layer.linears:
        return linear(machine, x, layer.linears["q_proj"], TERM)
    x = norm(machine, linear(machine, x, layer.linears["q_a_proj"], TERM), layer.norms["q_a_layernorm"], "norms")
    return linear(machine, x, layer.linears["q_b_proj"], TERM)


def _expanded(
    machine: Machine, layer: DecoderLayer, sizes: LatentAttention, latent: Tensor, shared: Tensor
) -> tuple[Tensor, Tensor]:
    """Keys and values of all heads (`expand_kv`); keys are put together out of their own and of shared numbers."""
    tape, heads = machine.tape, layer.heads
    both = layouts.laid_out(tape, linear(machine, latent, layer.linears["kv_b_proj"], TERM))
    tape.term = TERM
    own, value = layouts.split(tape, both, [Form(0, heads * sizes.qk_nope_head_dim), Form(0, heads * sizes.v_head_dim)])
    shared = layouts.viewed_often(tape, shared, Form(0, heads * sizes.qk_rope_head_dim))
    key = tape.new(Form(0, heads * sizes.head), own.element)
    key = layouts.copied_into(tape, key, own, first=True)
    return layouts.copied_into(tape, key, shared, first=False), value


def _in_pairs(tape: Tape, query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
    """Pairs of neighbours turned (`apply_rotary_pos_emb_interleave`)."""
    query = _paired(tape, query)
    return query, _paired(tape, key)


def _paired(tape: Tape, x: Tensor) -> Tensor:
    half, element = Form(0, x.numel.per_token // 2), x.element
    first, second = layouts.part(tape, x, half), layouts.part(tape, x, half)
    one = op.less(tape, op.turn(tape, first, element), op.turn(tape, second, element))
    other = op.add(tape, op.turn(tape, second, element), op.turn(tape, first, element))
    return layouts.joined(tape, one, other)


def _complex(tape: Tape, query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
    """Both turned as complex numbers, in fp32 (`apply_rotary_emb`)."""
    elements = query.element, key.element
    wide = [op.cast(tape, x, FLOAT32) for x in (query, key)]
    query = op.cast(tape, layouts.laid_out(tape, op.turn(tape, wide[0], FLOAT32)), elements[0])
    key = op.cast(tape, op.turn(tape, wide[1], FLOAT32), elements[1])
    return query, key
