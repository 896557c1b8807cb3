"""The routed experts of a sparse layer, in a program's dtypes and with its adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hbspec.estimators.step.lifetimes.experts import Experts
from hbspec.estimators.step.lifetimes.looped_modules import LoopedExperts, looped_experts
from hbspec.estimators.step.lifetimes.modules import Adapter, Linear

if TYPE_CHECKING:
    from hbspec.estimators.step.lifetimes.beside import ExpertsBeside
    from hbspec.estimators.step.lifetimes.build import Builder

MOST_LISTED = 8
"""Experts that are run one after another."""


def expert_modules(build: Builder) -> Experts | LoopedExperts:
    """The routed experts of a sparse layer, and the shared one."""
    return looped_experts(build) if build.architecture.family.looped else _fused(build)


def _fused(build: Builder) -> Experts:
    architecture, program = build.architecture, build.program
    hidden, size = architecture.hidden_size, architecture.moe_intermediate_size // program.tensor_parallel
    count, router = architecture.num_experts, architecture.family.router
    up, down, gate = "experts.gate_up_proj", "experts.down_proj", "shared_expert_gate"
    shared, repeated = architecture.shared_expert_intermediate_size, architecture.family.experts_repeated

    def adapter(name: str, columns: int, rows: int, rank: int, copies: int) -> Adapter | None:
        return build.factors(columns, rows, rank, copies=copies) if build.adapts(name) else None

    packing, element = build.packing(), None
    if packing is not None:
        element = packing.element(program.compute)
    return Experts(
        router=None if architecture.family.expert_norms else build.parameter(count * hidden, build.trains(router)),
        up=build.parameter(2 * count * hidden * size, build.trains(up), element),
        down=build.parameter(count * hidden * size, build.trains(down), element),
        # Llama 4 does not run with one
        router_adapter=None if repeated else adapter(router, hidden, count, program.rank, 1),
        up_adapter=adapter(up, hidden, 2 * size, 2 * program.rank, count),
        down_adapter=adapter(down, size, hidden, program.rank, count),
        number=count,
        routes=architecture.num_experts_per_tok,
        computed=count if repeated and program.targets is not None else architecture.num_experts_per_tok,
        hidden=hidden,
        size=size,
        narrow_router=architecture.family.router_in_compute_dtype,
        wide_router=architecture.family.router_wide,
        clamped=architecture.expert_bias,
        scores=architecture.family.scores,
        repeated=repeated,
        shared=build.mlp("shared_expert.", shared) if shared else {},
        shared_gate=build.linear(gate, hidden, 1) if architecture.family.shared_expert_gate else None,
        listed=_listed(build, hidden, size) if build.listed else (),
        packing=packing,
        balanced=program.balances,
    )


def _listed(build: Builder, hidden: int, size: int) -> list[dict[str, Linear]]:
    """Experts as modules; of more than a few, several together stand for their share of the tokens."""
    architecture, program = build.architecture, build.program
    parts = min(architecture.num_experts, MOST_LISTED)
    together, quantized = -(-architecture.num_experts // parts), build.quantized()

    def module(parameter: str, columns: int, rows: int) -> Linear:
        trained, adapted = build.trains(parameter), build.adapts(parameter)
        copies = architecture.num_experts // parts if trained else 1
        weight = build.parameter(columns * rows * copies, trained, program.compute if quantized else None)
        adapter = build.factors(columns, rows, program.rank, copies=together, dropout=program.dropout)
        return Linear(
            weight,
            columns,
            rows,
            quantized,
            adapter if adapted else None,
            nested=program.double_quant,
            keeps_input=program.inputs_kept,
            share=(architecture.num_experts_per_tok, parts),
        )

    up, down = "experts.gate_up_proj", "experts.down_proj"
    shapes = {"gate_proj": (up, hidden, size), "up_proj": (up, hidden, size), "down_proj": (down, size, hidden)}
    return [{name: module(*shape) for name, shape in shapes.items()} for _ in range(parts)]


def experts_beside(build: Builder) -> ExpertsBeside:
    """Experts beside an MLP: the modules of `expert_modules`, with their norms and the router's own."""
    from hbspec.estimators.step.lifetimes.beside import ExpertsBeside  # which few models need

    architecture, hidden = build.architecture, build.architecture.hidden_size
    router, count = architecture.family.router, architecture.num_experts
    behind_mlp, before, behind = (build.norm(name, hidden, hidden) for name in architecture.family.expert_norms)
    return ExpertsBeside(
        experts=_fused(build),
        behind_mlp=behind_mlp,
        before=before,
        behind=behind,
        scale=build.parameter(hidden, build.trains(f"{router}.scale")),
        router=build.linear(f"{router}.proj", hidden, count),
        expert_scale=build.parameter(count, build.trains(f"{router}.per_expert_scale")),
    )
