"""What a job's memory owes to its trainer and to versions: each such fact, and the bytes that the other one makes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from hbspec.analysis.analysis import Analysis
from hbspec.diagnostics import NotKnownError, Route, route_text
from hbspec.plan import Plan
from hbspec.plan.epochs import FUSED_EXPERTS, UNFUSED_TRANSFORMERS
from hbspec.plan.shipped_script import SOFTWARE
from hbspec.search.changes import Change


@dataclass(frozen=True, slots=True)
class Dependence:
    """A fact that holds because of what runs, and what the opposite would make.

    Attributes:
        software: what makes it so, with its version: `trl 1.16.0`.
        fact: what is so.
        other: the values that say the opposite.
        peak_allocated_bytes: how much more the fullest GPU would hold with them, less if negative.
    """

    software: str
    fact: str
    other: Change
    peak_allocated_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """One of the `software` of `hbspec estimate --format json`."""
        return {
            "software": self.software,
            "fact": self.fact,
            "otherwise": self.other.to_dict(),
            "peak_allocated_bytes": self.peak_allocated_bytes,
        }


def dependences(analysis: Analysis) -> tuple[Dependence, ...]:
    """Every fact that the spec leaves to the software and that memory depends on; one that makes no byte is left out.

    Raises:
        NotKnownError: the memory is not known.
    """
    now = analysis.memory.fullest.peak_allocated.expected
    found = []
    for software, fact, other in _facts(analysis):
        try:
            then = replace(analysis, spec=other.applied(analysis.spec)).memory.fullest.peak_allocated.expected
        except NotKnownError:
            continue
        if then != now:
            found.append(Dependence(software, fact, other, round(then - now)))
    return tuple(found)


def _facts(analysis: Analysis) -> Iterator[tuple[str, str, Change]]:
    """What makes it so, what is so, and the opposite; only what the author did not decide."""
    spec, plan = analysis.spec, analysis.plan
    training, software, given = plan.training, spec.software, spec.hyperparameters
    trainer = "the loop" if training.trainer == "loop" else _named(plan, training.trainer)
    if given.loss is None:
        if training.loss == "standard":
            yield trainer, "all logits are held at once", _other(("hyperparameters", "loss"), "fused")
        else:
            yield trainer, "a fused head never holds all logits", _other(("hyperparameters", "loss"), "standard")
    # float16 is left out: the gradient scaler refuses adapters in it
    if software.adapter_dtype is None and training.adapters and training.compute_dtype == "bfloat16":
        narrow = training.adapter_dtype != "float32"
        dtype = "float32" if narrow else training.compute_dtype
        by = trainer if narrow else _named(plan, "peft")
        yield by, f"adapters are {training.adapter_dtype}", _other(("software", "adapter_dtype"), dtype)
    if software.weights_dtype is None and training.quantization:
        prepared = training.weights_dtype == "float32"
        how = "k-bit preparation makes it" if prepared else "without k-bit preparation it stays"
        fact = f"what is not quantised is {training.weights_dtype}: {how} so"
        dtype = training.compute_dtype if prepared else "float32"
        yield trainer, fact, _other(("software", "weights_dtype"), dtype)
    if software.autocast is None and training.compute_dtype != "float32":
        state = "under autocast" if training.autocast else "without autocast"
        yield trainer, f"steps run {state}", _other(("software", "autocast"), not training.autocast)
    if software.transformers is None and training.quantization and plan.architecture and plan.architecture.is_sparse:
        yield _experts(plan)


def _experts(plan: Plan) -> tuple[str, str, Change]:
    fused = plan.training.has(FUSED_EXPERTS)
    fact = "experts are one parameter a layer, which is not quantised" if fused else "experts are quantised"
    other = UNFUSED_TRANSFORMERS if fused else SOFTWARE["transformers"]
    return _named(plan, "transformers"), fact, _other(("software", "transformers"), other)


def _other(route: Route, value: Any) -> Change:
    return Change(route_text(route), {route: value})


def _named(plan: Plan, package: str) -> str:
    return f"{package} {dict(plan.training.software)[package]}"
