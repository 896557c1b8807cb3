"""The gated delta rule over shapes, chunk by chunk of each row, as transformers runs it in PyTorch alone.

Source: transformers 5.23.0, `torch_chunk_gated_delta_rule` of `models/qwen3_5/modeling_qwen3_5.py`, which runs where
flash-linear-attention is not installed. The kernels of that package hold less.
"""

from __future__ import annotations

from hbspec.catalog.dtypes import FLOAT32
from hbspec.catalog.linear_attention import LinearAttention
from hbspec.estimators.step.lifetimes import layouts
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.modules import Machine
from hbspec.estimators.step.lifetimes.scan import CHUNK, Scan, scanned, times
from hbspec.estimators.step.lifetimes.tape import Tape


def delta_rule(
    machine: Machine,
    sizes: LinearAttention,
    rows: int,
    projected: tuple[Tensor, Tensor, Tensor],
    decay: Tensor,
    beta: Tensor,
) -> Tensor:
    """What the heads of values put out, side by side.

    Args:
        machine: what runs it.
        sizes: of the layer.
        rows: of the micro-batch.
        projected: queries, keys and values, as convolved.
        decay: one number a head of values, by how much a token's state fades.
        beta: one number a head of values, how much a token is learned.
    """
    tape, heads, (query, key, value) = machine.tape, sizes.num_value_heads, projected
    before = query.element
    wide, one, square = Form(0, heads * sizes.key_head_dim), Form(0, heads), Form(0, heads * CHUNK)
    if heads != sizes.num_key_heads:
        query, key = layouts.spread(tape, query, wide), layouts.spread(tape, key, wide)
    query, key, value, beta, decay = [op.cast(tape, x, FLOAT32) for x in (query, key, value, beta, decay)]
    query, key = _normed(tape, query, one), _normed(tape, key, one)
    query = op.unary(tape, query)  # / sqrt(key_head_dim)
    query, key, value = [op.unary(tape, x) for x in (query, key, value)]  # padded to whole chunks
    beta, decay = [op.unary(tape, x) for x in (beta, decay)]
    learned, keyed = op.multiply(tape, value, beta), op.multiply(tape, key, beta)
    faded = op.unary(tape, decay, temporaries=2)  # cumsum
    apart = op.unary(tape, _differences(tape, faded, square))
    apart = op.unary(tape, apart, saves="output")
    work = square.times(sizes.key_head_dim)
    system = op.multiply(tape, times(machine, keyed, key, square, work), apart)
    inside = op.multiply(tape, times(machine, query, key, square, work), apart)
    faded_keys = op.multiply(tape, keyed, op.unary(tape, faded, saves="output"))
    values = _solved(tape, system, learned)
    seen = _solved(tape, system, faded_keys)
    state, out = tape.new(Form(rows * sizes.state), FLOAT32), tape.new(value.numel, FLOAT32)
    query = op.multiply(tape, query, op.unary(tape, faded, saves="output"))
    key = op.multiply(tape, key, op.unary(tape, op.unary(tape, faded), saves="output"))
    fades = op.unary(tape, layouts.part(tape, faded, Form(0, -(-heads // CHUNK))), saves="output")
    out = scanned(machine, Scan(sizes, rows, values, seen, query, inside, key, fades), state, out)
    out = op.clone(tape, out)
    return op.cast(tape, out, before) if before != FLOAT32 else op.clone(tape, out)


def _normed(tape: Tape, x: Tensor, one: Form) -> Tensor:
    """Each head over its length (`l2norm`)."""
    squares, numel = op.multiply(tape, x, x), x.numel
    total = tape.record(
        tape.new(one, FLOAT32), [squares.node], lambda gradient: [Tensor(gradient.storage, numel, FLOAT32)]
    )
    del squares
    total = op.unary(tape, total)  # + epsilon
    return op.multiply(tape, x, op.unary(tape, total, saves="output", temporaries=2))


def _differences(tape: Tape, x: Tensor, square: Form) -> Tensor:
    """Of every two tokens of a chunk."""

    def derivative(gradient: Tensor) -> list[Tensor]:
        return [op.alias(gradient), tape.new(square, FLOAT32, op.BACKWARD)]

    out = tape.record(tape.new(square, FLOAT32), [x.node, x.node], derivative)
    return op.fitting(tape, out, (x, x))


def _solved(tape: Tape, system: Tensor, right: Tensor) -> Tensor:
    """`torch.linalg.solve_triangular`, whose work is half of a product's (`FunctionsManual.cpp`, its backward)."""
    numel, square = right.numel, system.numel
    held = [tape.save(system)]
    work = Form(0, numel.per_token * CHUNK // 2)
    tape.multiply(work)
    out = tape.new(numel, FLOAT32)
    held.append(tape.save(out))

    def derivative(_: Tensor) -> list[Tensor]:
        tape.multiply(work.times(3))
        of_right = tape.new(numel, FLOAT32, op.BACKWARD)
        product = tape.new(square, FLOAT32, op.BACKWARD)
        negated = tape.new(square, FLOAT32, op.BACKWARD)
        del product
        lower = tape.new(square, FLOAT32, op.BACKWARD)
        del negated
        return [lower, of_right]

    return tape.record(out, [system.node, right.node], derivative, held)
