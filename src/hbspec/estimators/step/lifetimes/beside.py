"""Experts that run beside an MLP over shapes, each side with norms of its own.

Source: transformers 5.23.0, `Gemma4TextDecoderLayer` and `Gemma4TextRouter` of `models/gemma4/modeling_gemma4.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog.dtypes import FLOAT32
from hbspec.estimators.step.lifetimes import layouts
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import ParameterTensor, Tensor
from hbspec.estimators.step.lifetimes.experts import INDEX, Experts, routed
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.linear import linear
from hbspec.estimators.step.lifetimes.modules import Linear, Machine, Norm, norm, normed_by_power


class ExpertsBeside(NamedTuple):
    """The experts of a layer that has an MLP too.

    Attributes:
        experts: the routed ones.
        behind_mlp: the norm of what the MLP puts out.
        before, behind: the norms of what the experts are given, and of what they put out.
        scale: weighs what the router's linear module is given.
        router: that module.
        expert_scale: a number for each expert, by which its probability is multiplied.
    """

    experts: Experts
    behind_mlp: Norm
    before: Norm
    behind: Norm
    scale: ParameterTensor
    router: Linear
    expert_scale: ParameterTensor

    def weights(self) -> list[ParameterTensor]:
        """Weights of all modules and of their adapters."""
        norms = [weight for one in (self.behind_mlp, self.before, self.behind) for weight in one.weights()]
        return [*self.experts.weights(), *norms, self.scale, *self.router.weights(), self.expert_scale]


def beside_mlp(machine: Machine, layer: ExpertsBeside, residual: Tensor, x: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The sum of both sides, and what else lives until the layer is done.

    Args:
        machine: what runs it.
        layer: the modules.
        residual: the residual stream, which the experts are given.
        x: what the MLP put out.
    """
    tape = machine.tape
    first = norm(machine, x, layer.behind_mlp, "norms")
    del x
    probabilities, chosen = _chosen(machine, layer, residual)
    second = norm(machine, residual, layer.before, "norms")
    second = routed(machine, layer.experts, second, chosen)
    second = norm(machine, second, layer.behind, "norms")
    return op.add(tape, first, second, "mlp"), [first, second, probabilities, chosen]


def _chosen(machine: Machine, layer: ExpertsBeside, x: Tensor) -> tuple[Tensor, Tensor]:
    """Probabilities of all experts, and the weights of those that are chosen."""
    tape, experts = machine.tape, layer.experts
    tape.term = "router"
    x = op.weigh(tape, normed_by_power(machine, x, Form(0, 1)), layer.scale)
    x = op.unary(tape, x)  # * hidden_size ** -0.5
    scores = linear(machine, x, layer.router, "router")
    del x
    tape.term = "router"
    probabilities, some = op.softmax(tape, scores, FLOAT32), Form(0, experts.routes)
    del scores
    chosen = layouts.gathered(tape, probabilities, some, tape.new(some, INDEX))
    chosen = op.unary(tape, chosen, saves="input", temporaries=1)  # / sum
    return probabilities, op.multiply(tape, chosen, _scales(machine, layer, some))


def _scales(machine: Machine, layer: ExpertsBeside, some: Form) -> Tensor:
    """The chosen experts' numbers."""
    scale = layer.expert_scale
    numel, element = scale.numel, scale.element
    found = machine.tape.new(some, element)
    return machine.tape.record(found, [scale.sink], lambda _: [machine.tape.new(numel, element, op.GRADIENTS)])
