"""Experts that run one after another over shapes, each with its share of the tokens, as DBRX's do.

Every expert is taken to be visited by as many tokens as any other.

Source: transformers 5.23.0, `DbrxFFN` of `models/dbrx/modeling_dbrx.py`, which has no implementation by one product.
"""

from __future__ import annotations

from hbspec.catalog.dtypes import FLOAT32
from hbspec.estimators.step.lifetimes import layouts, products
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import ParameterTensor, Tensor
from hbspec.estimators.step.lifetimes.experts import INDEX
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.linear import linear
from hbspec.estimators.step.lifetimes.looped_modules import LoopedExperts
from hbspec.estimators.step.lifetimes.modules import Machine, narrowed
from hbspec.estimators.step.lifetimes.quantised_experts import Packing, opened


def looped_mlp(machine: Machine, experts: LoopedExperts, x: Tensor) -> Tensor:
    """The sum of the visited experts' outputs, weighted by the router."""
    tape = machine.tape
    x = _jittered(machine, x)
    chosen = _chosen(machine, experts, x)
    tape.term = "mlp"
    total = tape.new(x.numel, x.element)
    _mask = tape.new(Form(0, (experts.number + 1) * experts.routes), INDEX)
    stacks = [_stack(machine, weight, experts.packing) for weight in (experts.gate, experts.up, experts.down)]
    for _ in range(experts.number):
        index = tape.new(experts.share(2), INDEX)
        out = _expert(machine, experts, layouts.gathered(tape, x, experts.share(experts.hidden), index), stacks)
        out = op.multiply(tape, out, layouts.gathered(tape, chosen, experts.share(1), index))
        total = layouts.added_at(tape, total, out)
    return total


def _jittered(machine: Machine, x: Tensor) -> Tensor:
    """`x *= noise`, as the router does to what it shares with the experts."""
    tape, numel, element = machine.tape, x.numel, x.element
    tape.term = "router"
    noise = tape.new(numel, element)
    held = [tape.save(noise)] if x.node is not None else []
    return tape.record(
        Tensor(x.storage, numel, element), [x.node], lambda _: [tape.new(numel, element, op.BACKWARD)], held
    )


def _chosen(machine: Machine, experts: LoopedExperts, x: Tensor) -> Tensor:
    """Probabilities of the chosen experts; autocast makes their norm in fp32, and so them."""
    tape, some = machine.tape, Form(0, experts.routes)
    logits = linear(machine, x, experts.router, "router")
    tape.term = "router"
    probabilities = op.softmax(tape, logits, logits.element)
    chosen = layouts.gathered(tape, probabilities, some, tape.new(some, INDEX))
    if machine.compute is not None:
        chosen = op.cast(tape, chosen, FLOAT32)
    return op.unary(tape, chosen, saves="input", temporaries=1)  # / norm


def _stack(machine: Machine, given: ParameterTensor, packing: Packing | None) -> Tensor:
    """All experts' weights, seen one by one."""
    weight = opened(machine, given, packing)
    if isinstance(weight, Tensor):
        return weight
    whole = Tensor(None, weight.numel, weight.element)
    return machine.tape.record(whole, [weight.sink], lambda gradient: [op.alias(gradient)])


def _expert(machine: Machine, experts: LoopedExperts, x: Tensor, stacks: list[Tensor]) -> Tensor:
    tape, numel = machine.tape, Form(stacks[0].numel.fixed // experts.number)
    first, second, third = (layouts.part(tape, stack, numel) for stack in stacks)
    inside, work = experts.share(experts.size), experts.share(experts.size * experts.hidden)
    gate, up = _times(machine, x, first, inside, work), _times(machine, x, second, inside, work)
    gate = op.unary(tape, gate, saves="input")
    both = op.multiply(tape, gate, up)
    return _times(machine, both, third, experts.share(experts.hidden), work)


def _times(machine: Machine, x: Tensor, weight: Tensor, out: Form, work: Form) -> Tensor:
    """`x @ weight`, which autocast runs in the compute dtype with a copy of the weight for each product."""
    if machine.compute is not None:
        x = op.cast(machine.tape, x, machine.compute)
        wide = narrowed(machine.tape, weight, machine.compute, turned=True)
        return products.matmul(machine.tape, x, wide, out, work)
    return products.matmul(machine.tape, x, weight, out, work)
