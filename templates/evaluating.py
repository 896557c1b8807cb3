"""The trainer's evaluations: one that a stop breaks off, or prevents, is made up for by the next start.

Whether an evaluation is due is asked of the trainer's state: its update is one at which an evaluation falls, and its
log has none. So the checkpoint of a stopped run needs no note of it.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stopping import EvaluationStoppedError, RandomStates

if TYPE_CHECKING:
    from transformers import Trainer as Mixed
else:
    Mixed = object


class Evaluating(Mixed):  # type: ignore[misc]  # transformers has no types
    """Before a `transformers.Trainer`: an evaluation can be broken off, and is repeated where a checkpoint lacks it."""

    def evaluate(self, *arguments: Any, **named: Any) -> dict[str, float]:
        """The evaluation's metrics; a loss that is not a number where the run is to end before they are known.

        Then the random states are those from before: the next start evaluates, which draws from them again.
        """
        states = RandomStates.now()
        try:
            return dict(super().evaluate(*arguments, **named))
        except EvaluationStoppedError:
            states.restore()
            return {"eval_loss": math.nan}

    def is_due(self, step: int) -> bool:
        """Whether an evaluation falls on an update (transformers 5.23.0, `DefaultFlowCallback`) and was not logged."""
        if self.args.eval_strategy != "steps" or not step:
            return False
        falls = step % self.state.eval_steps == 0 or step >= self.state.max_steps
        return falls and not any("eval_loss" in entry and entry["step"] == step for entry in self.state.log_history)

    def _determine_best_metric(self, metrics: dict[str, float], trial: Any) -> bool:
        """Whether an evaluation is the best one so far of those whose update is saved, as a run without stops saves it.

        transformers (5.23.0) compares all: where the lowest loss has no checkpoint, none is the best one, and the last
        weights are delivered without a word.
        """
        step = self.state.global_step
        if step % self.state.save_steps and step < self.state.max_steps:
            return False
        return bool(super()._determine_best_metric(metrics, trial))

    def evaluate_due(self, checkpoint: Path) -> None:
        """Evaluates the weights of a checkpoint, which are loaded, as the run that saved it would have done.

        Raises:
            EvaluationStoppedError: the run is to end.
        """
        step = self.state.global_step
        if self.is_world_process_zero():
            print(f"hbspec: evaluates {checkpoint.name}, which a stop has left unevaluated", flush=True)
        metrics = self.evaluate()
        if self.is_due(step):
            raise EvaluationStoppedError
        if self._determine_best_metric(metrics=metrics, trial=None):
            self.state.best_model_checkpoint = str(checkpoint)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        """The random states of a checkpoint, which are from before an evaluation that is due, and so is this moment."""
        super()._load_rng_state(checkpoint)
        if checkpoint is not None and self.is_due(self.state.global_step):
            self.evaluate_due(Path(checkpoint))
