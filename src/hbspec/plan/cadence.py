"""How often a run saves and evaluates: by updates, or by epochs."""

from __future__ import annotations

from typing import Any

from hbspec.plan import defaults
from hbspec.plan.assumptions import Assumption
from hbspec.plan.resolution import Resolution
from hbspec.plan.shipped_script import DEFAULTS
from hbspec.plan.training import OWN_LOOPS

EVAL_BATCH = 8
"""`TrainingArguments.per_device_eval_batch_size`, in every version of transformers."""


def evaluations(resolution: Resolution, trainer: str) -> dict[str, Any]:
    """How often is evaluated, and on how many rows; without `eval_steps` the shipped script does so at the end."""
    given, shipped = resolution.given, resolution.spec.shipped
    per_epoch = _per_epoch(resolution, "eval")
    often = given.eval_steps if given.eval_strategy in (None, "steps") else None
    found = {
        "eval_steps": often,
        "evals_per_epoch": per_epoch,
        "eval_packing": bool(given.packing) and not shipped and resolution.task.next_token,
    }
    if resolution.spec.data.validation is None or not (shipped or often or per_epoch):
        return {**found, "evals_per_epoch": None, "eval_batch": None}
    theirs = resolution.theirs.get("hyperparameters.per_device_eval_batch_size")
    same = theirs is not None and theirs.value == "per_device_batch_size"
    if shipped or same or trainer in OWN_LOOPS:
        return {**found, "eval_batch": given.per_device_eval_batch_size or given.per_device_batch_size}
    source = "transformers.TrainingArguments"
    return {**found, "eval_batch": resolution.take("per_device_eval_batch_size", default=EVAL_BATCH, source=source)}


def _per_epoch(resolution: Resolution, what: str) -> int | None:
    """Saves or evaluations of an epoch, as the author says or as the framework does; None if not by epochs."""
    given = resolution.given
    if what == "save":
        said, silent = given.saved_per_epoch, given.save_strategy is None and given.save_steps is None
    else:
        evaluated = resolution.spec.data.validation is not None
        said, silent = given.evaluated_per_epoch, given.eval_strategy is None and given.eval_steps is None
        silent = silent and evaluated
    theirs = resolution.theirs.get(f"hyperparameters.{what}_strategy")
    if said is not None or not silent or theirs is None or theirs.value != "epoch":
        return said
    resolution.choices.note(("hyperparameters", f"{what}_strategy"), "epoch", theirs.source)
    return 1


def saves(resolution: Resolution) -> dict[str, Any]:
    """Updates between checkpoints or their share, or how many an epoch has; None where only a script knows."""
    given, per_epoch = resolution.given, _per_epoch(resolution, "save")
    if per_epoch is not None or given.save_strategy == "no":
        return {"save_steps": None, "saves_per_epoch": per_epoch}
    if not resolution.spec.shipped:
        known = "hyperparameters.save_steps" in resolution.theirs
        chosen = resolution.take("save_steps") if known else given.save_steps
        return {"save_steps": chosen, "saves_per_epoch": None}
    keeps_best = bool(given.load_best_model_at_end)
    if keeps_best and given.save_steps is None and given.evaluated_per_epoch is not None:
        reason = "load_best_model_at_end needs every checkpoint evaluated"
        route = ("hyperparameters", "saves_per_epoch")
        chosen = Assumption(route, given.evaluated_per_epoch, reason, differs=True)
        resolution.choices.assumptions.append(chosen)
        return {"save_steps": None, "saves_per_epoch": given.evaluated_per_epoch}
    works = defaults.save_steps(DEFAULTS["save_steps"], given.eval_steps, keeps_best=keeps_best)
    return {"save_steps": resolution.take("save_steps", works), "saves_per_epoch": None}
