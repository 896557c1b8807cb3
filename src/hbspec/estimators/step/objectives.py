"""Objectives beyond the next token that are not counted."""

from __future__ import annotations

from hbspec.catalog import Architecture
from hbspec.diagnostics import Missing, NotKnownError, Route
from hbspec.plan import Training
from hbspec.plan.objective import MODEL

TASK: Route = ("task",)


def refuse_objective(architecture: Architecture, training: Training, offload: str) -> None:
    """Refuse an objective, or a way to train for it, that is not counted.

    A mixture of experts holds the logits of its routers for an auxiliary loss (TRL 1.16.0, `dpo_trainer.py`,
    `aux_loss_enabled`).

    Args:
        architecture: the model.
        training: what is trained, and how.
        offload: what lies on the host.

    Raises:
        NotKnownError: with what is not counted.
    """
    objective = training.objective
    if objective.next_token:
        return
    if training.trainer != "trl":
        said = f"how trainer: {training.trainer} trains task {objective.task}"
        raise NotKnownError(Missing(said, ("software", "trainer")))
    if architecture.moe_layers and not objective.rewards:
        raise NotKnownError(Missing(f"the loss of the experts' routers, which task {objective.task} adds", TASK))
    if architecture.recorded is not None and objective.rewards:
        raise NotKnownError(Missing("the head that rewards, of a recorded model", ("model", "config")))
    if training.rollouts is not None:
        _refuse_rollouts(architecture, training)
    if objective.reference == MODEL and offload == "all":
        raise NotKnownError(Missing("where the reference lies under offload: all", ("instance", "offload")))


def _refuse_rollouts(architecture: Architecture, training: Training) -> None:
    """Refuse completions whose generation or scoring is not counted."""
    recorded = architecture.recorded is not None and architecture.recorded.attention is None
    if not architecture.serves or recorded:
        raise NotKnownError(Missing("the cache that such layers keep while they generate", TASK))
    if training.whole_logits:
        said = f"the logits that GRPO holds in TRL {dict(training.software)['trl']}"
        raise NotKnownError(Missing(said, ("software", "trl")))
