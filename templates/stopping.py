"""The end of a run that is asked to end: after the current micro-batch, with the last finished update saved.

SageMaker sends SIGTERM and kills 120 seconds later, and an update can take longer than that. So the gradients of the
update that is under way are dropped, and a new start repeats its micro-batches.
"""

from __future__ import annotations

import random
import signal
from types import FrameType
from typing import Any, NamedTuple

import numpy as np
import torch
from transformers import TrainerCallback

BROKEN_OFF = 2
"""What the ranks agree on if one has broken off; 1 is a signal."""


class EvaluationStoppedError(Exception):
    """The run is to end, and what an evaluation has seen so far is not a result."""


class RandomStates(NamedTuple):
    """The states of all generators whose states a checkpoint holds."""

    python: Any
    numpy: Any
    cpu: torch.Tensor
    gpus: list[torch.Tensor]

    @classmethod
    def now(cls) -> RandomStates:
        """The states of this moment."""
        gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
        return cls(random.getstate(), np.random.get_state(), torch.get_rng_state(), gpus)

    def restore(self) -> None:
        """Puts the generators back."""
        random.setstate(self.python)
        np.random.set_state(self.numpy)
        torch.set_rng_state(self.cpu)
        if self.gpus:
            torch.cuda.set_rng_state_all(self.gpus)


class Stop(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Ends the run after SIGTERM or SIGINT, on all ranks at the same micro-batch.

    What is saved then is what the trainer would have saved after the last finished update: its weights, and the
    random states from before the micro-batches that are dropped, so that their repetition draws the same dropout. A
    checkpoint that is there already is not written again, which could only damage it. An evaluation is not waited for.
    """

    def __init__(self, args: Any) -> None:
        self.args = args
        self.heard = False
        self.heard_name = signal.SIGTERM.name
        self.reason = ""
        self.agreed = 0
        self._saved = 0
        self._states = RandomStates.now()
        self._epoch_begins = True

    def listen(self) -> None:
        """From now on SIGTERM, or Ctrl-C, asks the run to end; a second Ctrl-C ends it at once, as in `launcher.py`."""
        signal.signal(signal.SIGTERM, self._hear)
        signal.signal(signal.SIGINT, self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.heard, self.heard_name = True, signal.Signals(number).name
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.SIG_DFL)

    def break_off(self, reason: str | None) -> None:
        """Asks the run to end if there is a reason: a watch is broken, which is a failure of the job."""
        self.reason = self.reason or reason or ""

    @property
    def name(self) -> str:
        """What the run ends by."""
        return "a watch" if self.is_broken else self.heard_name

    @property
    def is_broken(self) -> bool:
        """Whether the ranks have agreed to end because of a watch."""
        return self.agreed == BROKEN_OFF

    def ask(self) -> bool:
        """Whether the run is to end. All ranks ask together, since each may have heard the signal at another time."""
        if self.agreed:
            return True
        self.agreed = BROKEN_OFF if self.reason else int(self.heard)
        if self.args.world_size > 1:
            flag = torch.tensor([self.agreed], device=self.args.device)
            torch.distributed.all_reduce(flag, op=torch.distributed.ReduceOp.MAX)
            self.agreed = int(flag.item())
        return self.agreed > 0

    def _end(self, args: Any, state: Any, control: Any) -> None:
        control.should_training_stop = True
        control.should_evaluate = False
        control.should_save = state.global_step > self._saved
        args.load_best_model_at_end = False  # the trainer would load the best checkpoint at its end

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The step of the checkpoint that the run goes on from, if any, is saved already."""
        del args, control
        self._saved = state.global_step

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """A new start at the first update of an epoch loads its random states here, before the data are shuffled."""
        del args, state, control
        self._states, self._epoch_begins = RandomStates.now(), True

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Before the first micro-batch of an update, which is where a new start loads its random states else."""
        del args, state, control
        if not self._epoch_begins:
            self._states = RandomStates.now()
        self._epoch_begins = False

    def on_substep_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """After a micro-batch that does not end an update."""
        if self.ask():
            self._states.restore()
            self._end(args, state, control)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """After an update."""
        if self.ask():
            self._end(args, state, control)

    def on_prediction_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """After a batch of an evaluation, which can take longer than the service waits.

        Raises:
            EvaluationStoppedError: the run is to end.
        """
        if self.ask():
            self._end(args, state, control)
            raise EvaluationStoppedError

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """A checkpoint was written."""
        del args, control
        self._saved = state.global_step
