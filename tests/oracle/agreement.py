"""hbspec's closed form for a case, beside its trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from hbspec.catalog import Architecture, catalog
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.moment import Moment
from hbspec.estimators.step.moments import moments
from hbspec.estimators.step.placement import Stage
from hbspec.plan import Plan, build_plan
from hbspec.spec import Spec
from oracle.case import Case

LIMIT, MEDIAN = 0.005, 0.001
"""How far the closed form may be from any trace, and in the median, as fractions of the trace."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A case's peak twice, in bytes, with the moment that each finds to be the largest."""

    case: Case
    traced: int
    closed: int
    at: str
    moment: str

    @property
    def error(self) -> float:
        """Of the closed form, as a fraction of the trace."""
        return self.closed / self.traced - 1


def closed_form(case: Case) -> Moment:
    """The largest moment of a step, with its terms in bytes, of a spec that says what the case says.

    Loading is left out, which no trace of a step holds.
    """
    job = job_of(plan_of(case))
    whole = Stage(0, job.architecture.num_hidden_layers, embedding=True, head=True)
    # a trace looks on through a dispatch mode, under which torch adds no gradient into another, and sees no library
    job = job._replace(program=job.program._replace(on_gpu=False), workspaces=0)
    step = (moment for moment in moments(job, whole, case.tokens) if moment.name != "load")
    return max(step, key=lambda moment: moment.total)


def plan_of(case: Case) -> Plan:
    """The plan of a spec that says what the case says."""
    architecture = Architecture.from_config(case.values)
    return build_plan(Spec.model_validate(spec_of(case)), catalog(), architecture, None)


def spec_of(case: Case) -> dict[str, Any]:
    """A spec of one GPU that runs the case; padding shows in the mean length of the examples."""
    mean = case.tokens - case.padding * (case.batch // 2) / case.batch
    hyperparameters = {
        "method": case.method,
        "learning_rate": 1e-4,
        "max_steps": 1,
        "per_device_batch_size": case.batch,
        "gradient_accumulation_steps": case.gradient_accumulation,
        "max_length": case.tokens,
        "packing": case.packing,
        "gradient_checkpointing": case.gradient_checkpointing,
        "use_reentrant": case.use_reentrant,
        "attn_implementation": case.attention,
        "loss": case.loss,
        "optim": case.optim,
        "bf16": case.compute_dtype == "bfloat16",
        "fp16": case.compute_dtype == "float16",
    }
    if case.adapters:
        hyperparameters |= {
            "lora_r": case.lora_r,
            "lora_alpha": 2 * case.lora_r,
            "lora_dropout": case.lora_dropout,
            "target_modules": _names(case.target_modules),
            "modules_to_save": case.modules_to_save.split("+") if case.modules_to_save else None,
            "use_dora": case.use_dora,
            "use_rslora": case.use_rslora,
        }
    if case.quantised:
        hyperparameters |= {"bnb_quant_type": case.quantization, "bnb_double_quant": case.double_quant}
    software = {"weights_dtype": case.weights_dtype, "autocast": case.autocast}
    if case.adapters:
        software["adapter_dtype"] = case.adapter_dtype
    software["trainer"] = "trl" if case.loss == "fused" or case.packing else "transformers"
    return {
        "hbspec": 1,
        "name": "oracle",
        "model": {"config": "./config.json"},
        "data": {"train": {"examples": 1000}, "tokens": {"mean": mean, "max": case.tokens}},
        "instance": {"gpu": "A100-80", "gpus": 1, "parallelism": "single"},
        "software": software,
        "hyperparameters": hyperparameters,
    }


def agreement(case: Case, entry: Mapping[str, Any]) -> Agreement:
    """A trace beside the closed form."""
    moment = closed_form(case)
    return Agreement(case, entry["peak"], moment.total, entry["at"], moment.name)


def table(found: list[Agreement]) -> Iterator[str]:
    """The worst first, then the quantiles."""
    errors = sorted(abs(one.error) for one in found)
    for one in sorted(found, key=lambda one: -abs(one.error)):
        yield (
            f"{one.error:>+8.2%} {one.traced:>16,} {one.closed:>16,}  {one.moment:<10} {one.case.text}\n"
            f"{'':>44}{one.at}"
        )
    close = sum(error <= LIMIT for error in errors)
    middle, worst = median(errors), errors[-1]
    yield f"{len(errors)} cases, {close} within {LIMIT:.1%}: median {middle:.3%}, worst {worst:.2%}"


def _names(text: str) -> str | list[str]:
    return text if text == "all-linear" else text.split("+")
