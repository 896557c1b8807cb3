"""The job's hyperparameters: the spec's names in upper case, and every value as a string in the author's spelling."""

from __future__ import annotations

import json
from typing import Any

from hbspec.analysis import Analysis
from hbspec.diagnostics import Route
from hbspec.plan.shipped_script import WATCH
from hbspec.plan.tasks import SETTINGS, TASKS
from hbspec.plan.training_job import IN_S3
from hbspec.spec.trained import UNLIMITED
from hbspec.targets.lowering.needs import Needs

WEIGHTS = "add model.id, the Hugging Face id or the folder of the weights; model.config gives only their shapes"
DEFAULT_TASK = "sft"
LAUNCHED = ("method",)
"""Keys that are passed on the command line instead, with the parallelism."""
STRATEGIES = {"save_strategy": "SAVES_PER_EPOCH", "eval_strategy": "EVALS_PER_EPOCH"}
"""Keys that the shipped script does not read: `epoch` is one of an epoch, and `steps` is how it counts otherwise."""

UNREAD = (
    *("REF_MODEL", "GENERATION_BATCH_SIZE", "USE_VLLM", "VLLM_MODE", "VLLM_GPU_MEMORY_UTILIZATION"),
    *("VLLM_TENSOR_PARALLEL_SIZE", "VLLM_MAX_MODEL_LENGTH", "VLLM_ENABLE_SLEEP_MODE"),
)
"""Names of keys that the shipped script does not have."""


def hyperparameters(analysis: Analysis) -> dict[str, str]:
    """Strings by name: `MODEL_ID`, the spec's in their order, and those of the author's script or needed defaults.

    Without `model.id` in the spec, `MODEL_ID` is missing; `require_weights` reports it if it is needed.
    """
    spec, written = analysis.spec, analysis.document.values["hyperparameters"]
    values = {"MODEL_ID": spec.model.id} if spec.model.id else {}
    if spec.model.revision:
        values["REVISION"] = spec.model.revision
    if spec.shipped and spec.model.adapter:
        values["ADAPTER"] = spec.model.adapter
        if spec.model.adapter_revision and not spec.model.adapter.startswith(IN_S3):
            values["ADAPTER_REVISION"] = spec.model.adapter_revision
    if spec.task != DEFAULT_TASK:
        values["TASK"] = spec.task
    for key, value in written.items():
        if key not in LAUNCHED and value is not None:
            values[key.upper()] = _text(analysis, ("hyperparameters", key), value)
    if spec.shipped:
        values = {name: value for name, value in values.items() if name.lower() not in STRATEGIES}
        values |= {name: "1" for key, name in STRATEGIES.items() if getattr(spec.hyperparameters, key) == "epoch"}
        values |= {} if analysis.plan.training.capped else {"MAX_LENGTH": UNLIMITED}
        values |= _working_defaults(analysis)
    if spec.reward is not None:
        named = spec.reward.functions
        # the shipped script finds their files beside it
        values["REWARD_FUNCTIONS"] = ",".join(named if spec.script else [one.rpartition("/")[2] for one in named])
    values |= _watches(analysis)
    if spec.shipped:
        values = {name: value for name, value in values.items() if name not in not_taken(spec.task)}
    if spec.script:
        for key, value in spec.script.hyperparameters.items():
            values[key] = _text(analysis, ("script", "hyperparameters", key), value)
    return values


def not_taken(task: str) -> set[str]:
    """Names of settings that the shipped script refuses with a task; HB213 and HB277 have said so."""
    facts = TASKS[task]
    others = {key.upper() for key in SETTINGS if key not in facts.settings} | set(UNREAD)
    lacking = {f"{WATCH}LOSS", "ACTIVATION_OFFLOADING", "LOAD_BEST_MODEL_AT_END"}
    return (
        others
        | (lacking if task == "grpo" else {"REWARD_FUNCTIONS"})
        | (set() if facts.next_token else {"PACKING", "LOSS"})
    )


def own_hyperparameters(analysis: Analysis) -> dict[str, str]:
    """Those that the author's script is given: the bounds of `monitoring` are for `hbspec_job` alone, if it has it."""
    return {name: value for name, value in hyperparameters(analysis).items() if not name.startswith(WATCH)}


def require_weights(needs: Needs, analysis: Analysis) -> None:
    """Require `model.id` for the shipped script, which loads these weights; the author's script may not need it."""
    if analysis.spec.shipped:
        needs.take(analysis.spec.model.id, ("model", "id"), "", WEIGHTS)


def _working_defaults(analysis: Analysis) -> dict[str, str]:
    """Values that the plan chose because the shipped script's default would fail."""
    chosen = (entry for entry in analysis.plan.assumptions if entry.differs)
    values = {str(entry.route[-1]).upper(): entry.value for entry in chosen if entry.route[0] == "hyperparameters"}
    return {key: json.dumps(value) if isinstance(value, tuple) else str(value) for key, value in values.items()}


def _watches(analysis: Analysis) -> dict[str, str]:
    """Bounds of `monitoring` that end a run for good."""
    given = analysis.spec.monitoring
    if given is None:
        return {}
    bounds = {
        "LOSS": given.loss and given.loss.decreasing_over and str(round(given.loss.decreasing_over)),
        "GPU_MEMORY": given.gpu_memory and str(round(given.gpu_memory.max)),
        "STEP_MIN": given.step_time and given.step_time.min and f"{given.step_time.min:.15g}",
        "STEP_MAX": given.step_time and given.step_time.max and f"{given.step_time.max:.15g}",
        "GRAD_NORM": given.gradient_norm and f"{given.gradient_norm.max:.15g}",
    }
    return {f"{WATCH}{name}": bound for name, bound in bounds.items() if bound}


def _text(analysis: Analysis, route: Route, value: Any) -> str:
    """A value as a string: `1e-4` stays `1e-4`; booleans and lists are JSON, whatever their spelling in YAML."""
    if isinstance(value, (bool, list, dict)):
        return json.dumps(value)
    return analysis.document.spellings.get(route, str(value))
