"""The job itself: a trainer is built, run and saved, and what was counted is recorded. Imported once all is read."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import model_folder
import tiny
from accelerate import PartialState
from accelerate.utils import gather_object
from checkpoints import Start, best_left, refuse_other, write_owner
from completeness import STATE
from conversations import Conversation, Tally, encode, prompted_only, template_of
from counting import EXAMPLE, CountingTrainer, Epoch, QuietProgress, Watch
from datasets import Dataset
from datasets.utils import logging as datasets_logging
from fingerprint import PACKAGES, Fingerprint, loaded
from loading import (
    adapters,
    compute_dtype,
    count_parameters,
    keep_trainable_dtype,
    load_model,
    trainer_arguments,
)
from removal import remove
from settings import RUN_FILE, TINY_FOLDER, Invocation, RefusedError, Settings
from stopping import Stop
from transformers import AutoTokenizer, PrinterCallback, ProgressCallback
from transformers.utils import logging as transformers_logging
from trl import SFTConfig

WRAPPERS = {"ddp": "DistributedDataParallel", "fsdp": "FSDP", **dict.fromkeys(("zero1", "zero2", "zero3"), "DeepSpeed")}
"""What must have wrapped the model. The trainer silently makes DDP of FSDP where accelerate does not know the device,
and a run that is not sharded as planned should end before it costs anything."""


def run(
    invocation: Invocation,
    overrides: Sequence[tiny.Override],
    train: Sequence[Conversation],
    validation: Sequence[Conversation],
    fingerprint: Fingerprint,
    start: Start,
) -> int:
    """Trains, saves and records; returns the exit code.

    Raises:
        RefusedError: the chat template refuses the data, or leaves nothing to train on; the checkpoint to start from is
            of other weights, or past what is to be trained.
    """
    settings = invocation.settings
    compute = compute_dtype(settings)
    arguments = trainer_arguments(invocation, compute, evaluated=bool(validation))
    state = PartialState(cpu=arguments.use_cpu)
    _quiet()
    for line in (*overrides, *(f"hbspec: {note}" for note in start.notes)):
        state.print(line)
    source = _base(invocation, state, train)
    tokenizer = AutoTokenizer.from_pretrained(source, revision=settings.REVISION)
    splits = _splits(state, tokenizer, {"train": train, "validation": validation}, settings.MAX_LENGTH)
    model = load_model(source, settings, compute, state.local_process_index)
    dtype = str(compute).removeprefix("torch.")
    fingerprint["loaded"] = loaded(dtype, getattr(model.config, "_commit_hash", None))
    _check_start(start, fingerprint)
    trainer = _trainer(model, arguments, tokenizer, splits, settings, fingerprint)
    keep_trainable_dtype(trainer.model, compute)
    known = {"model_folder": source, "compute_dtype": dtype, "parameters": count_parameters(trainer.model)}
    watch = _watch(trainer, expected_wrapper(settings.PARALLELISM, state.num_processes))
    # a rank that leaves before it trains would let those wait in vain that train
    state.wait_for_everyone()
    happened = _learn(trainer, state, invocation, start, watch)
    if state.is_main_process:
        told = {
            "overrides": [_override(each) for each in overrides],
            "data": {name: asdict(tally) for name, (_, tally) in splits.items()},
            "ranks": state.num_processes,
            "wrapper": type(trainer.model_wrapped).__name__,
        }
        _record(invocation, told | known | happened)
    # a rank that exits while another still writes can abort in gloo's threads, and the whole job then fails
    state.wait_for_everyone()
    state.destroy_process_group()
    return 0


def _base(invocation: Invocation, state: PartialState, train: Sequence[Conversation]) -> str:
    """Id or folder of the base model; a rehearsal's own is written first."""
    if not invocation.folders.tiny:
        return invocation.settings.MODEL_ID
    folder = invocation.folders.output_data_dir / TINY_FOLDER
    with state.main_process_first():
        if state.is_main_process:
            tiny.write(invocation, train, folder)
    return str(folder)


def _trainer(
    model: Any,
    arguments: SFTConfig,
    tokenizer: Any,
    splits: Mapping[str, tuple[Dataset, Tally]],
    settings: Settings,
    fingerprint: Fingerprint,
) -> CountingTrainer:
    return CountingTrainer(
        model,
        arguments,
        loss=settings.LOSS,
        fingerprint=fingerprint,
        keep=settings.SAVE_TOTAL_LIMIT,
        train_dataset=splits["train"][0],
        eval_dataset=splits["validation"][0] if "validation" in splits else None,
        processing_class=tokenizer,
        peft_config=adapters(settings),
    )


def _learn(
    trainer: CountingTrainer, state: PartialState, invocation: Invocation, start: Start, watch: Watch
) -> dict[str, Any]:
    """Trains, evaluates and delivers, up to a stop; returns what the record says of it."""
    settings = invocation.settings
    stop = _stop(trainer)
    epoch = trainer.rehearse_epoch()
    if state.is_local_main_process:
        write_owner(invocation.folders.checkpoint_dir, trainer.fingerprint)
    resumed = _train(trainer, state, start, settings.MAX_STEPS or math.ceil(settings.epochs * epoch.updates))
    if trainer.eval_dataset is not None and settings.EVAL_STEPS is None and not stop.ask():
        trainer.evaluate()
    stopped = stop.ask()
    if stopped:
        state.print(f"hbspec: {_stopped_after(trainer.state.global_step)}")
    else:
        _deliver(trainer, state, invocation)
    counted = _counted(trainer, watch, epoch, packed=settings.PACKING)
    return {"resumed_from_step": resumed, "stopped_by": "SIGTERM" if stopped else None, **counted}


def _record(invocation: Invocation, found: Mapping[str, Any]) -> None:
    """Writes `RUN_FILE`."""
    settings = {"format_version": 1, "settings": asdict(invocation.settings)}
    record = {**settings, "versions": {package: version(package) for package in PACKAGES}, **found}
    folder = invocation.folders.output_data_dir
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RUN_FILE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def expected_wrapper(parallelism: str, processes: int) -> str | None:
    """Part of the class name that the wrapped model must have; None where nothing wraps it."""
    if parallelism == "ddp" and processes == 1:
        return None
    return WRAPPERS.get(parallelism)


def _quiet() -> None:
    """Keeps bars of things that take a moment out of the job's log."""
    datasets_logging.disable_progress_bar()
    if not sys.stderr.isatty():
        transformers_logging.disable_progress_bar()


def _check_start(start: Start, fingerprint: Fingerprint) -> None:
    """What can be known of the checkpoint to start from only when the model is loaded.

    Raises:
        RefusedError: it was trained on other weights, or in another dtype.
        RuntimeError: the hosts hold different checkpoints.
    """
    steps = gather_object([start.step])
    if len(set(steps)) > 1:
        raise RuntimeError(f"the ranks do not find the same checkpoint: they would start after updates {steps}")
    if start.checkpoint is not None and start.loaded is not None:
        refuse_other(start.checkpoint, start.loaded, fingerprint["loaded"])


def _splits(
    state: PartialState, tokenizer: Any, splits: dict[str, Sequence[Conversation]], max_length: int
) -> dict[str, tuple[Dataset, Tally]]:
    """Each split that has conversations as a dataset of rows, with its tally, which is printed."""
    found: dict[str, tuple[Dataset, Tally]] = {}
    for name, conversations in splits.items():
        if not conversations:
            continue
        rows, tally = encode(tokenizer, conversations, max_length)
        if not rows:
            raise RefusedError([f"{name}: MAX_LENGTH={max_length} leaves no example with a token to train"])
        if name == "train":
            found[name] = Dataset.from_list([{**row, EXAMPLE: number} for number, row in enumerate(rows)]), tally
        else:
            found[name] = Dataset.from_list(rows), tally
        state.print(
            f"hbspec: {name}: {tally.used} examples of {tally.read}, {tally.tokens} tokens, {tally.trained_tokens} "
            f"of them trained; longest {tally.longest}; {tally.truncated} cut at MAX_LENGTH={max_length}, "
            f"{tally.dropped} left out because nothing to train was left"
        )
        if tally.unclosed:
            state.print(f"hbspec: note {tally.unclosed} answers end without a special token: stopping is not learnt")
        if tally.reasoning_dropped:
            state.print(f"hbspec: note the chat template drops the reasoning of {tally.reasoning_dropped} answers")
    opening = prompted_only(template_of(tokenizer), splits["train"][0])
    if opening:
        state.print(f"hbspec: note the prompt for an answer ends with {opening!r}, which no training text has")
    return found


def _watch(trainer: CountingTrainer, wrapper: str | None) -> Watch:
    """Puts our metric lines in the place of the trainer's own."""
    watch = Watch(trainer, wrapper)
    trainer.add_callback(watch)
    trainer.remove_callback(PrinterCallback)
    if trainer.pop_callback(ProgressCallback):
        trainer.add_callback(QuietProgress)
    return watch


def _stop(trainer: CountingTrainer) -> Stop:
    """Listens for SIGTERM from now on."""
    stop = Stop(trainer.args)
    stop.listen()
    trainer.add_callback(stop)
    return stop


def _stopped_after(update: int) -> str:
    if update:
        return f"stopped by SIGTERM after update {update}; a new start resumes there"
    return "stopped by SIGTERM before the first update ended: nothing is saved"


def _train(trainer: CountingTrainer, state: PartialState, start: Start, updates: int) -> int | None:
    """Trains from where it starts to the last of so many updates; returns the update that it went on from.

    Raises:
        RefusedError: the checkpoint is past that.
    """
    if start.checkpoint is None:
        trainer.train()
        return None
    if start.step > updates:
        raise RefusedError(
            [
                f"{start.checkpoint} is past the {updates} updates to train",
                f"use another checkpoint folder than {start.checkpoint.parent}, or train at least {start.step}",
            ]
        )
    saved = json.loads((start.checkpoint / STATE).read_text(encoding="utf-8"))
    best, note = best_left(start.checkpoint.parent, saved)
    if note:
        state.print(f"hbspec: {note}")
    if start.step == updates:  # the trainer would add one update more
        state.print(f"hbspec: {start.checkpoint} is the last update already: nothing is left to train")
        trainer.load_finished(Path(best.get("best_model_checkpoint") or start.checkpoint), start.step)
    else:
        state.print(f"hbspec: resumes from {start.checkpoint}")
        trainer.resume(start.checkpoint, start.step, best)
    return start.step


def _deliver(trainer: CountingTrainer, state: PartialState, invocation: Invocation) -> None:
    """Saves the model beside what lies in the model folder, and then in its place."""
    unfinished = model_folder.unfinished(invocation.folders.model_dir, trainer.fingerprint)
    if state.is_local_main_process:
        remove(unfinished)  # of a start of this run that was killed
    state.wait_for_everyone()
    trainer.save_model(str(unfinished))
    state.wait_for_everyone()
    with state.main_process_first():  # hosts may share the folder
        if state.is_main_process or (state.is_local_main_process and unfinished.is_dir()):
            model_folder.deliver(invocation, trainer.fingerprint)


def _counted(trainer: CountingTrainer, watch: Watch, epoch: Epoch, *, packed: bool) -> dict[str, Any]:
    """What this start of the job did, counted over all ranks. A step is an update since the first start."""
    updates, distinct = trainer.everything_consumed()
    return {
        "updates": len(updates),
        "last_step": trainer.state.global_step,
        "examples_per_update": max(updates, default=None),
        "examples_of_each_update": updates,
        "examples_consumed": sum(updates),
        "examples_distinct": None if packed else distinct,
        "epoch": asdict(epoch),
        "checkpoints": watch.checkpoints,
        "first_loss": watch.losses[0] if watch.losses else None,
        "last_loss": watch.losses[-1] if watch.losses else None,
    }


def _override(override: tiny.Override) -> dict[str, str]:
    return {"name": override.name, "from": override.before, "to": override.after, "reason": override.reason}
