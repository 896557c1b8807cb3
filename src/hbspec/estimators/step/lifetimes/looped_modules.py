"""The modules of experts that run one after another, in a program's dtypes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hbspec.estimators.step.lifetimes.looped import LoopedExperts

if TYPE_CHECKING:
    from hbspec.estimators.step.lifetimes.build import Builder


def looped_experts(build: Builder) -> LoopedExperts:
    """The router and the three fused parameters of a sparse layer's experts."""
    architecture = build.architecture
    hidden, size, count = architecture.hidden_size, architecture.moe_intermediate_size, architecture.num_experts
    names = "experts.w1", "experts.v1", "experts.w2"
    gate, up, down = (build.parameter(count * hidden * size, build.trains(name)) for name in names)
    router = build.linear(architecture.family.router, hidden, count)
    return LoopedExperts(router, gate, up, down, count, architecture.num_experts_per_tok, hidden, size)
