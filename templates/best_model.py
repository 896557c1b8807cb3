"""The trainer's best checkpoint: it is delivered only if it is whole and of this run when it is loaded.

transformers loads whatever lies under the name that was the best one's, or the last weights where nothing does
(5.23.0, `Trainer._load_best_model`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from accelerate.utils import gather_object
from checkpoints import best_left
from completeness import STATE
from documents import parsed
from fingerprint import Fingerprint
from folder_lock import Held
from saving import Saving
from stopping import EvaluationStoppedError

CARRIED = ("log_history", "best_metric", "best_global_step", "best_model_checkpoint")
"""Fields of the trainer's state that say what was evaluated."""


class Best(Saving):
    """Before one of TRL's trainers: it goes on from a checkpoint, and judges the best one before it is loaded.

    Args:
        fingerprint: what the run learns from.
        held: the folders that the run began in.
        keep: checkpoints kept.
    """

    def __init__(self, *arguments: Any, fingerprint: Fingerprint, held: Held, keep: int, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.save_as(fingerprint, held, keep)
        self.best: Mapping[str, Any] = {}
        self.passed_over: list[str] = []

    def resume(self, checkpoint: Path, step: int) -> None:
        """Trains on from a whole checkpoint, whose last update is given; an evaluation that is due comes first."""
        self.best = self._judged(parsed(checkpoint / STATE))
        self.saved_step = step
        with suppress(EvaluationStoppedError):
            self.train(resume_from_checkpoint=str(checkpoint))

    def load_finished(self, checkpoint: Path, step: int) -> None:
        """Takes the weights of a run that is over, to evaluate and save them: the best ones, if they are kept."""
        saved = parsed(checkpoint / STATE)
        for name, value in ({name: saved.get(name) for name in CARRIED} | self._judged(saved)).items():
            setattr(self.state, name, value)
        self.state.global_step = self.state.max_steps = self.saved_step = step
        self.state.compute_steps(self.args, step)
        if not self.is_due(step):
            self._load_from_checkpoint(self.state.best_model_checkpoint or str(checkpoint))
            return
        self._load_from_checkpoint(str(checkpoint))
        with suppress(EvaluationStoppedError):
            self.evaluate_due(checkpoint)
            if self.state.best_model_checkpoint not in (None, str(checkpoint)):
                self._load_best_model()

    def space(self, updates: int, saves: int | None, evaluations: int | None) -> None:
        """Says in updates how often an epoch of so many is saved and evaluated, where that is counted by epochs."""
        if saves is not None:
            self.args.save_steps = math.ceil(updates / saves)
        if evaluations is not None:
            self.args.eval_steps = math.ceil(updates / evaluations)

    def parted(self, updates: int) -> list[str]:
        """Why a checkpoint would not be evaluated, where rounding parts two shares of so many updates, or epochs do.

        transformers (5.23.0) compares the shares alone, then rounds each up, and delivers the last weights in silence.
        """
        args = self.args
        if not args.load_best_model_at_end:
            return []
        save, every = (math.ceil(updates * of) if of < 1 else of for of in (args.save_steps, args.eval_steps))
        said = f"SAVE_STEPS={args.save_steps:g} is {save} of {updates} updates, and "
        said += f"EVAL_STEPS={args.eval_steps:g} is {every}"
        action = f"LOAD_BEST_MODEL_AT_END needs every checkpoint evaluated: use EVAL_STEPS={args.save_steps:g} too"
        return [f"{said}; {action}"] if save % every else []

    def told_of_best(self) -> dict[str, Any] | None:
        """What the record says of the best checkpoint; None where the last one is delivered."""
        if self.args.metric_for_best_model is None:
            return None
        path = self.state.best_model_checkpoint
        metric = self.state.best_metric if path else None
        return {"checkpoint": Path(path).name if path else None, "eval_loss": metric, "passed_over": self.passed_over}

    def _judged(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """`checkpoints.best_left`, as the main process finds it; what it passes over is said and kept."""
        folder = Path(self.args.output_dir)
        main = self.accelerator.is_main_process
        (found,) = gather_object([best_left(folder, self.fingerprint, state)] if main else [])
        fields, note = found
        if note:
            self.passed_over.append(note)
            if main:
                print(f"hbspec: {note}", flush=True)
        return dict(fields)

    def _init_training_state(self, *arguments: Any) -> Any:
        """The trainer's state; out of a checkpoint, it has that run's intervals and paths, and here are this run's."""
        found = super()._init_training_state(*arguments)
        self.state.compute_steps(self.args, self.state.max_steps)
        for name, value in self.best.items():
            setattr(self.state, name, value)
        return found

    def _load_best_model(self) -> None:
        """Loads the best checkpoint that is left; where none is, the last weights stay."""
        for name, value in self._judged({name: getattr(self.state, name) for name in CARRIED}).items():
            setattr(self.state, name, value)
        if self.state.best_model_checkpoint is not None:
            super()._load_best_model()
        elif self.accelerator.is_main_process:
            print("hbspec: WARNING no best checkpoint is left: the last weights are delivered", flush=True)
