"""The modules of experts that run one after another, in a program's dtypes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hbspec.estimators.step.lifetimes.autograd import ParameterTensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.modules import Linear
from hbspec.estimators.step.lifetimes.quantised_experts import Packing

if TYPE_CHECKING:
    from hbspec.estimators.step.lifetimes.build import Builder


class LoopedExperts(NamedTuple):
    """The experts of a layer.

    Attributes:
        router: chooses them.
        gate, up, down: the weights of all experts.
        number: how many there are.
        routes: how many a token visits.
        hidden, size: widths of the residual stream and of one expert.
        packing: how their weights are quantised; None where they are not.
    """

    router: Linear
    gate: ParameterTensor
    up: ParameterTensor
    down: ParameterTensor
    number: int
    routes: int
    hidden: int
    size: int
    packing: Packing | None = None

    def weights(self) -> list[ParameterTensor]:
        """Weights of the router, of its adapter and of the experts."""
        return [*self.router.weights(), self.gate, self.up, self.down]

    def share(self, width: int) -> Form:
        """The size of what one expert computes."""
        return Form(0, -(-width * self.routes // self.number))


def looped_experts(build: Builder) -> LoopedExperts:
    """The router and the three fused parameters of a sparse layer's experts."""
    architecture = build.architecture
    hidden, size, count = architecture.hidden_size, architecture.moe_intermediate_size, architecture.num_experts
    names = "experts.w1", "experts.v1", "experts.w2"
    packing = build.packing()
    element = packing.element(build.program.compute) if packing else None
    gate, up, down = (build.parameter(count * hidden * size, build.trains(name), element) for name in names)
    router = build.linear(architecture.family.router, hidden, count)
    return LoopedExperts(router, gate, up, down, count, architecture.num_experts_per_tok, hidden, size, packing)
