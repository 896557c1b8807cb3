"""Facts about the trainer and library versions that memory depends on, each with the bytes under the opposite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from hbspec.analysis.analysis import Analysis
from hbspec.analysis.change import Change
from hbspec.diagnostics import NotKnownError, Route, route_text
from hbspec.estimators.training.memory import peak_allocated
from hbspec.plan import Plan
from hbspec.plan.epochs import FUSED_EXPERTS, UNFUSED_TRANSFORMERS
from hbspec.plan.shipped_script import SOFTWARE


@dataclass(frozen=True, slots=True)
class Dependence:
    """A fact that holds because of the software that runs, and the effect of its opposite.

    Attributes:
        software: the library that causes it, with its version: `trl 1.16.0`.
        fact: the fact in words.
        other: the settings that state the opposite.
        peak_allocated_bytes: additional bytes on the fullest GPU under those settings; negative if fewer.
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
    """The facts that the spec leaves to the software and that change memory.

    Raises:
        NotKnownError: the memory is not known.
    """
    now = peak_allocated(analysis.plan)
    found = []
    for software, fact, other in _facts(analysis):
        try:
            then = peak_allocated(replace(analysis, spec=other.applied(analysis.spec)).plan)
        except NotKnownError:
            continue
        if then != now:
            found.append(Dependence(software, fact, other, round(then - now)))
    return tuple(found)


def _facts(analysis: Analysis) -> Iterator[tuple[str, str, Change]]:
    """The software, the fact and the opposite setting of each fact that the author did not decide."""
    spec, plan = analysis.spec, analysis.plan
    training, software, given = plan.training, spec.software, spec.hyperparameters
    own = {"loop": "your loop", "litgpt": "LitGPT"}.get(training.trainer)
    trainer = own or _named(plan, training.trainer)
    if given.loss is None and training.trainer != "litgpt":  # which has one way only
        if training.whole_logits:
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
        stay = f"stay {training.weights_dtype} (no k-bit preparation)"
        dtype = training.compute_dtype if prepared else "float32"
        fact = f"unquantised weights {'become float32 (k-bit preparation)' if prepared else stay}"
        yield trainer, fact, _other(("software", "weights_dtype"), dtype)
    if software.autocast is None and training.compute_dtype != "float32":
        state = "under autocast" if training.autocast else "without autocast"
        yield trainer, f"steps run {state}", _other(("software", "autocast"), not training.autocast)
    if software.transformers is None and training.quantization and plan.architecture and plan.architecture.is_sparse:
        yield _experts(plan)


def _experts(plan: Plan) -> tuple[str, str, Change]:
    fused = plan.training.has(FUSED_EXPERTS)
    fact = "experts are one fused parameter per layer, not quantised" if fused else "experts are quantised"
    other = UNFUSED_TRANSFORMERS if fused else SOFTWARE["transformers"]
    return _named(plan, "transformers"), fact, _other(("software", "transformers"), other)


def _other(route: Route, value: Any) -> Change:
    return Change(route_text(route), {route: value})


def _named(plan: Plan, package: str) -> str:
    return f"{package} {dict(plan.training.software)[package]}"
