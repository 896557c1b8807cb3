"""What a job needs of its script beyond training, for a script of your own that trains with a `transformers.Trainer`.

    job = hbspec_job.Job(trainer)
    if job.train():
        trainer.save_model("/opt/ml/model")
    sys.exit(job.end())

A job prints metric lines, which `hbspec watch` reads. It goes on from the newest whole checkpoint of `output_dir`, if
the same run wrote it. At SIGTERM, and where a bound of `monitoring` is broken for good, all ranks save the last
finished update and end together; why a job fails is left where SageMaker looks for it.

In a job it is a folder beside your script, with the modules of the shipped script that it needs.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import checkpoints
    import failure
    import fingerprint
    import leaving
    import metrics
    import own_fingerprint
    import run_record
    import saving
    import settings
    import stopping
    import told
    import watches
    from folder_lock import Held, alone_in_each
else:
    HERE = Path(__file__).parent

    def _modules(*names: str) -> list[Any]:
        """Modules of this folder. Their names are not kept: a script of your own may have a `settings.py`, too."""
        here = {path.stem for path in HERE.glob("*.py")}
        yours = {name: sys.modules.pop(name) for name in here & sys.modules.keys() if name != __name__}
        sys.path.insert(0, str(HERE))
        try:
            return [importlib.import_module(name) for name in names]
        finally:
            sys.path.remove(str(HERE))
            for name in here - {__name__}:
                sys.modules.pop(name, None)
            sys.modules.update(yours)

    (
        checkpoints, failure, fingerprint, leaving, metrics, own_fingerprint, run_record, saving, settings, stopping,
        told, watches, _lock,
    ) = _modules(
        "checkpoints", "failure", "fingerprint", "leaving", "metrics", "own_fingerprint", "run_record", "saving",
        "settings", "stopping", "told", "watches", "folder_lock",
    )  # fmt: skip
    Held, alone_in_each = _lock.Held, _lock.alone_in_each

from accelerate.utils import gather_object
from transformers import PrinterCallback, ProgressCallback

BOUND = "WATCH_"
"""What the names of hyperparameters begin with that pass the bounds of `monitoring` on, to this module alone."""
REFUSED = 2
WAIT = 30.0
"""Seconds that a rank waits for the first, which says why the run is refused."""

leaving.listen()


class LastUpdateError(Exception):
    """The checkpoint that the run goes on from is that of its last update."""


class Job(stopping.Stop):
    """One start of a run: made before the trainer trains, on every rank.

    Args:
        trainer: a `transformers.Trainer`, or one of its subclasses. Its callbacks that print metrics are replaced.
        learned: whatever else makes another run, such as the data: a run goes on only where this is the same.
    """

    def __init__(self, trainer: Any, learned: Mapping[str, Any] | None = None) -> None:
        super().__init__(trainer.args)
        self.trainer = trainer
        trainer.__class__ = type("JobTrainer", (saving.Saving, type(trainer)), {})
        trainer.args.logging_nan_inf_filter = False  # a loss that is not a number is not shown as the last that was
        if problems := list(_problems(trainer.args)):
            self._end_refused(settings.RefusedError(problems), is_first=leaving.is_first())
        mine = own_fingerprint.of_trainer(trainer, learned or {})
        trainer.save_as(mine, Held(), trainer.args.save_total_limit)
        trainer.args.save_total_limit = None  # older checkpoints are deleted when the new one is whole
        self._alone = contextlib.ExitStack()  # until the process ends: the model is saved after training
        self._clock = told.StepClock()
        self._watches = watches.Watches(_bounds())
        self._rows, self._consumed = 0, [0]
        self._count_rows()
        for printing in (PrinterCallback, ProgressCallback):
            trainer.remove_callback(printing)
        trainer.add_callback(self)

    def train(self) -> bool:
        """Trains to the end from the newest whole checkpoint; False where the run was asked to end before."""
        trainer, state = self.trainer, self.trainer.accelerator.state
        folder = Path(trainer.args.output_dir)
        try:
            if leaving.is_first():
                trainer.held = self._alone.enter_context(alone_in_each({"output_dir": folder}))
            start = checkpoints.find_start(folder, trainer.fingerprint)
            run_record.refuse_other_record(run_record.own_folder(), trainer.fingerprint)
            saving.refuse_unlike_ranks(start, trainer.fingerprint["learned"])
            if trainer.accelerator.is_local_main_process:
                for note in start.notes:
                    self._say(note)
                checkpoints.write_owner(folder, trainer.fingerprint)
            self.listen()
            trainer.accelerator.wait_for_everyone()
            if start.checkpoint is None:
                trainer.train()
            else:
                self._say(f"resumes from {start.checkpoint}")
                trainer.check(start)
                trainer.saved_step = start.step
                self._resume(start.checkpoint)
            if not self.ask():
                saving.refuse_together(trainer.diverged())
        except settings.RefusedError as refused:
            self._end_refused(refused, is_first=state.process_index == 0)
        return not self.ask()

    def _resume(self, checkpoint: Path) -> None:
        """Trains on from a checkpoint; from that of the last update it takes the weights, and trains nothing."""
        trainer = self.trainer
        try:
            trainer.train(resume_from_checkpoint=str(checkpoint))
        except LastUpdateError:
            self._say(f"{checkpoint} is the last update already: nothing is left to train")
            trainer.is_in_train = False
            if trainer.args.load_best_model_at_end and trainer.state.best_model_checkpoint is not None:
                trainer._load_best_model()  # as the trainer does at its end
            trainer.control = trainer.callback_handler.on_train_end(trainer.args, trainer.state, trainer.control)

    def end(self) -> int:
        """Records and says how the run has ended, and leaves together with the other ranks; returns the exit code.

        The code is 0 for a run that is done or was stopped by a signal, and 3 where a watch has ended it.
        """
        trainer = self.trainer
        stopped = self.name if self.ask() else None
        examples = sum(gather_object([sum(self._consumed)]))
        if trainer.is_world_process_zero():
            step = trainer.state.global_step
            counted = {"updates": len(self._consumed) - 1, "last_step": step, "stopped_by": stopped}
            counted |= {"examples_consumed": examples}
            record = {**counted, "ranks": trainer.args.world_size, "fingerprint": trainer.fingerprint}
            for problem in run_record.write_own(record):
                self._say(f"this run is not recorded: {problem}")
            if stopped:
                self._say(f"stopped by {stopped} after update {trainer.saved_step}; a new start resumes there")
            print(metrics.done(counted), flush=True)
        if self.reason:
            fail(self.reason)
        trainer.accelerator.wait_for_everyone()
        trainer.accelerator.end_training()
        leaving.finish()
        return watches.BROKEN if self.is_broken else 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Says which run begins."""
        super().on_train_begin(args, state, control)
        if state.is_world_process_zero:
            mark = fingerprint.mark(self.trainer.fingerprint)
            run = {
                "job": os.environ.get("TRAINING_JOB_NAME"),
                "mark": mark,
                "tiny": False,
                "software": own_fingerprint.software(),
            }
            print(metrics.run({**run, **told.planned(args, state), "gpus": told.gpus()}), flush=True)
        self._clock.tick(working=False)

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Everything is loaded; the trainer asks only after an update whether another is left to train.

        Raises:
            LastUpdateError: none is.
            RefusedError: the checkpoint is past the last one.
        """
        super().on_epoch_begin(args, state, control)
        if state.global_step > state.max_steps:
            said = f"{self.trainer.start.checkpoint} is past the {state.max_steps} updates to train"
            raise settings.RefusedError([f"{said}: use another output_dir, or train at least {state.global_step}"])
        if state.global_step == state.max_steps:
            raise LastUpdateError

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """After an update."""
        self._clock.end_step()
        self._consumed.append(self._rows)
        self._rows = 0
        super().on_step_end(args, state, control)

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, float] | None = None, **_: Any) -> None:
        """Prints a metric line for a training or an evaluation loss, and watches the first kind."""
        del args, control
        shown = dict(logs or {})
        if "loss" in shown:
            self._clock.tick(working=True)
            values: dict[str, float | int] = {
                name: shown[name] for name in ("loss", "grad_norm", "learning_rate", "epoch") if name in shown
            }
            memories: list[dict[str, int]] = gather_object([told.gpu_memory()])
            values["step_seconds"] = self._clock.take()
            values |= {name: max(each.get(name, 0) for each in memories) for name in memories[0]}
            self._clock.tick(working=False)
        elif "eval_loss" in shown:
            values = {"eval_loss": shown["eval_loss"]}
        else:
            return
        if state.is_world_process_zero:
            print(metrics.line(state.global_step, values), flush=True)
            if "loss" in values:
                self.break_off(self._watches.see(state.global_step, values))

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Evaluation is not part of a step's time."""
        del args, state, control
        self._clock.tick(working=False)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """A checkpoint was written, which is not part of a step's time either."""
        super().on_save(args, state, control)
        self._clock.tick(working=False)

    def _count_rows(self) -> None:
        """Counts rows where they reach a training step; those of an update that is not finished do not count."""
        trainer, step = self.trainer, self.trainer.training_step

        def counted(model: Any, inputs: Mapping[str, Any], *more: Any, **named: Any) -> Any:
            self._rows += len(next(iter(inputs.values())))
            return step(model, inputs, *more, **named)

        trainer.training_step = counted

    def _say(self, text: str) -> None:
        if self.trainer.is_world_process_zero():
            print(f"hbspec: {text}", flush=True)

    def _end_refused(self, refused: settings.RefusedError, *, is_first: bool) -> None:
        """Ends this process, as every rank ends that has found the same."""
        if is_first:
            fail(*refused.problems)
        deadline = time.monotonic() + WAIT  # the launcher ends all ranks when one has ended, and the first is to speak
        while not is_first and not self.heard and time.monotonic() < deadline:
            time.sleep(0.1)
        sys.stdout.flush()
        os._exit(REFUSED)  # other ranks may wait in a collective that the interpreter's end would wait for


def fail(*reasons: str) -> None:
    """Says why the job fails, on standard error and where SageMaker looks for it; the caller exits."""
    for reason in reasons:
        print(f"train.py: {reason}", file=sys.stderr, flush=True)
    failure.tell(settings.Folders(), reasons)


def _problems(args: Any) -> Iterator[str]:
    """Why a trainer's arguments make no run that can be stopped and go on."""
    if args.save_only_model:
        yield "save_only_model leaves out what a new start needs: set it to False"
    started = int(os.environ.get("WORLD_SIZE", "1"))
    if started != args.world_size:
        yield (
            f"{started} processes were started, and the trainer knows of {args.world_size}, so that each would train "
            "alone: pass use_cpu=True on a machine without a GPU"
        )


def _bounds() -> settings.Settings:
    """The bounds of `monitoring`, as SageMaker hands them over; none elsewhere."""
    try:
        texts = dict(json.loads((settings.Folders().config_dir / "hyperparameters.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        texts = {}
    table = settings.Settings.__dataclass_fields__
    given = {
        name: table[name].metadata["parse"](texts[name]) for name in table if name in texts and name.startswith(BOUND)
    }
    return settings.Settings(MODEL_ID="", **given)
