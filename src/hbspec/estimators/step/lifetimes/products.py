"""torch's matrix products over shapes: what each computes, forward and back, beside what it allocates and holds.

Work is multiply-adds. Where something is trained before a product or in it, each gradient is a product of as much work.

Sources as in `hbspec.estimators.step.lifetimes.operators`; `aten/native/transformers` for attention.
"""

from __future__ import annotations

from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import Node, ParameterTensor, Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.tape import Tape


def matmul(
    tape: Tape, x: Tensor, weight: ParameterTensor | Tensor, out: Form, work: Form, bias: ParameterTensor | None = None
) -> Tensor:
    """`x @ weight + bias`, all in one dtype. On the way back each gradient is a product of as much work.

    Args:
        tape: the tape.
        x: the input.
        weight: a parameter, or a copy of one that autocast made.
        out: how many numbers come out.
        work: multiply-adds.
        bias: what is added.
    """
    node = weight.node if isinstance(weight, Tensor) else weight.sink if weight.trained else None
    held = [tape.save(x)] if node is not None else []
    if x.node is not None:
        held.append(tape.save(weight if isinstance(weight, Tensor) else op.NO_STORAGE))
    tape.multiply(work)  # behind what it saves: computing again stops with the last of that
    sink = bias.sink if bias is not None else None
    inputs, element, numel, of_weight = (x.node, node, sink), x.element, x.numel, weight.numel
    rows = bias.numel if bias is not None else Form()
    term = op.BACKWARD if isinstance(weight, Tensor) else op.GRADIENTS
    back = work.times(sum(needed is not None for needed in inputs[:2]))

    def derivative(_: Tensor) -> list[Tensor | None]:
        tape.multiply(back)
        first = tape.new(numel, element, op.BACKWARD) if inputs[0] is not None else None
        second = tape.new(of_weight, element, term) if inputs[1] is not None else None
        return [first, second, tape.new(rows, element, op.GRADIENTS) if sink is not None else None]

    return tape.record(tape.new(out, element), inputs, derivative, held)


def product(tape: Tape, left: Tensor, right: Tensor, out: Form, work: Form) -> Tensor:
    """The product of two activations, of so much work forward and for each gradient."""
    held = op.saved_for_product(tape, left, right)
    tape.multiply(work)
    sizes = [(x.numel, x.element) for x in (left, right)]
    back = work.times(sum(x.node is not None for x in (left, right)))

    def derivative(_: Tensor) -> list[Tensor | None]:
        tape.multiply(back)
        return [tape.new(numel, element, op.BACKWARD) for numel, element in sizes]

    return tape.record(tape.new(out, left.element), [left.node, right.node], derivative, held)


def attention(
    tape: Tape,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    log_sum: Form,
    mask: Tensor | None,
    work: Form,
    numel: Form | None = None,
    values: Form | None = None,
) -> Tensor:
    """`scaled_dot_product_attention` by a flash kernel: inputs, output and one fp32 number a head and row are held.

    It multiplies queries by keys and scores by values, `work` each, or `values` the latter where their heads are not as
    wide; on the way back it computes the scores again, and four gradients. `numel` is how many numbers come out, where
    that is not as many as there are in the queries.
    """
    inputs = (query, key, value)
    held = [tape.save(x) for x in inputs]
    if mask is not None:
        held.append(tape.save(mask))
    second = values or work
    tape.multiply(work.plus(second))
    back = work.times(3).plus(second.times(2))
    out = tape.new(numel or query.numel, query.element)
    scores = tape.new(log_sum, 4)
    held += [tape.save(out), tape.save(scores)]
    sizes = [(x.numel, x.element) for x in inputs]
    shared = sizes[1] != sizes[0]

    def derivative(_: Tensor) -> list[Tensor | None]:
        tape.multiply(back)
        numel, element = sizes[0]
        # CUDA's kernel sums up in fp32, and makes a key and a value for every query head (`flash_api.cpp`, `mha_bwd`)
        gradients: list[Tensor | None] = [tape.new(numel, element, op.BACKWARD) for numel, element in sizes]
        scratch = [tape.new(numel, 4, op.BACKWARD)] if tape.on_gpu else []
        if tape.on_gpu and shared:
            scratch += [tape.new(numel, element, op.BACKWARD) for _ in range(2)]
        del scratch
        return gradients

    nodes: list[Node | None] = [x.node for x in inputs]
    del scores, inputs
    return tape.record(out, nodes, derivative, held)


def plus_product(
    tape: Tape, weight: ParameterTensor | Tensor, left: Tensor, right: Tensor, work: Form, times: int
) -> Tensor:
    """`baddbmm`: a frozen weight plus the product of two factors, as large as the weight.

    It runs `times` times, and one result is used. On the way back each factor's gradient is a product of as much work.
    """
    held = [tape.save(left), tape.save(right)]
    tape.multiply(work.times(times))
    sizes = [(x.numel, x.element) for x in (left, right)]

    def derivative(_: Tensor) -> list[Tensor | None]:
        tape.multiply(work.times(2))
        return [tape.new(numel, element, op.GRADIENTS) for numel, element in sizes]

    return tape.record(tape.new(weight.numel, left.element), [left.node, right.node], derivative, held)
