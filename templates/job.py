"""The job itself: a trainer is built, run and saved, and what was counted is recorded. Imported once all is read."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import author_rewards
import base_model
import failure
import initial_adapters
import metrics
import model_folder
import served_adapters
import tiny
import trainers
from accelerate import PartialState
from checkpoints import Start, refuse_others, write_owner
from counting import Counting, Epoch, QuietProgress, Watch
from datasets.utils import logging as datasets_logging
from documents import saying_room
from fingerprint import Fingerprint, engine
from folder_lock import Held
from handover import problems_of
from job_examples import Example
from loading import (
    adapters,
    beside_language_model,
    compute_dtype,
    count_parameters,
    keep_trainable_dtype,
    load_model,
    reference_found,
    trainer_arguments,
)
from removal import remove
from run_record import introduction, refuse_other_record, write_record
from saving import refuse_together, refuse_unlike_ranks
from settings import Invocation
from splits import Splits, end_answers, keep_endings, made_splits, use_template
from stopping import Stop
from transformers import AutoTokenizer, PrinterCallback, ProgressCallback
from transformers.utils import logging as transformers_logging
from watches import BROKEN, Watches

WRAPPERS = {"ddp": "DistributedDataParallel", "fsdp": "FSDP", **dict.fromkeys(("zero1", "zero2", "zero3"), "DeepSpeed")}
"""What must have wrapped the model. The trainer silently makes DDP of FSDP where accelerate does not know the device,
and a run that is not sharded as planned should end before it costs anything."""


def run(
    invocation: Invocation,
    overrides: Sequence[tiny.Override],
    train: Sequence[Example],
    validation: Sequence[Example],
    fingerprint: Fingerprint,
    start: Start,
    held: Held,
) -> int:
    """Trains, saves and records; returns the exit code.

    Raises:
        RefusedError: the chat template refuses the data, or leaves nothing to train on; the checkpoint to start from is
            of other weights, or past what is to be trained.
    """
    settings = invocation.settings
    compute = compute_dtype(settings)
    arguments = trainer_arguments(invocation, compute, evaluated=bool(validation), engine=engine(fingerprint))
    state = PartialState(cpu=arguments.use_cpu)
    _quiet()
    for line in (*overrides, *(f"hbspec: {note}" for note in start.notes)):
        state.print(line)
    base = base_model.find(invocation, state, train)
    dtype = str(compute).removeprefix("torch.")
    initial = _agreed(lambda: initial_adapters.find(invocation, base.source))
    fingerprint["loaded"] = {"compute dtype": dtype, **base.said, **initial_adapters.fingerprinted(initial)}
    _check_start(start, invocation, fingerprint)
    tokenizer = AutoTokenizer.from_pretrained(base.source, revision=base.revision)
    use_template(tokenizer, settings, fingerprint)
    rewarding = author_rewards.functions(settings.REWARD_FUNCTIONS)
    splits = made_splits(state, tokenizer, {"train": train, "validation": validation}, settings)
    model = load_model(base, settings, compute, state.local_process_index)
    if settings.CHAT_TEMPLATE:
        end_answers(model, tokenizer, train[0])
    refuse_together(base_model.sign(base, fingerprint))
    _check_start(start, invocation, fingerprint)
    named = {"fingerprint": fingerprint, "held": held, "keep": settings.SAVE_TOTAL_LIMIT, **rewarding}
    config = adapters(settings, beside_language_model(model))
    model, config = _agreed(lambda: initial_adapters.applied(model, config, initial))
    named |= {"peft_config": config, "processing_class": tokenizer}
    with reference_found(model, base, settings):
        trainer = trainers.made(settings, splits, model=model, args=arguments, **named)
    keep_trainable_dtype(trainer.model, compute)
    known = {"model_folder": base.source, "compute_dtype": dtype, "parameters": count_parameters(trainer.model)}
    watch, stop = _watch(trainer, invocation, state)
    # a rank that leaves before it trains would let those wait in vain that train
    state.wait_for_everyone()
    happened = _learn(trainer, state, invocation, start, watch, stop)
    refuse_together(held.moved())
    if state.is_main_process:
        told = {"overrides": [_override(each) for each in overrides]} | _told(splits, state, trainer)
        write_record(invocation, fingerprint, told | known | happened)
        print(metrics.done(happened), flush=True)
    _leave_together(state)
    return _broken(stop, invocation) if stop.is_broken else 0


def _agreed(ask: Callable[[], Any]) -> Any:
    """What every rank finds; all of them end where one refuses it."""
    found: list[Any] = []
    refuse_together(problems_of(lambda: found.append(ask())))
    return found[0]


def _told(splits: Splits, state: PartialState, trainer: Counting) -> dict[str, Any]:
    """What the record says of the data, and of the processes."""
    return {
        "data": {name: asdict(tally) for name, (_, tally) in splits.items()},
        "ranks": state.num_processes,
        "wrapper": type(trainer.model_wrapped).__name__,
    }


def _leave_together(state: PartialState) -> None:
    """A rank that exits while another still writes can abort in gloo's threads, and the whole job then fails."""
    state.wait_for_everyone()
    state.destroy_process_group()


def _learn(
    trainer: Counting, state: PartialState, invocation: Invocation, start: Start, watch: Watch, stop: Stop
) -> dict[str, Any]:
    """Trains, evaluates and delivers, up to a stop; returns what the record says of it."""
    settings = invocation.settings
    stop.listen()
    trainer.add_callback(stop)
    epoch = trainer.rehearse_epoch()
    updates = settings.MAX_STEPS or math.ceil(settings.epochs * epoch.updates)
    trainer.space(epoch.updates, settings.SAVES_PER_EPOCH, settings.EVALS_PER_EPOCH)
    place = model_folder.place_of(invocation)
    shorter = problems_of(lambda: model_folder.refuse_shorter(place, trainer.fingerprint, updates))
    problems = [*trainer.held.moved(), *_past(start, updates), *shorter]
    refuse_together([*problems, *trainer.parted(updates), *trainer.lacking(epoch)])
    if state.is_local_main_process:
        write_owner(invocation.folders.checkpoint_dir, trainer.fingerprint)
    resumed = _train(trainer, state, start, updates)
    if not stop.ask():
        refuse_together(trainer.diverged())
    at_end = settings.EVAL_STEPS is None and settings.EVALS_PER_EPOCH is None
    if trainer.eval_dataset is not None and at_end and not stop.ask():
        trainer.evaluate()
    stopped = stop.ask()
    if stopped:
        state.print(f"hbspec: {_stopped_after(trainer.saved_step, stop.name)}")
    else:
        _deliver(trainer, state, invocation)
    counted = _counted(trainer, watch, epoch, packed=settings.PACKING)
    return {"resumed_from_step": resumed, "stopped_by": stop.name if stopped else None, **counted}


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


def _check_start(start: Start, invocation: Invocation, fingerprint: Fingerprint) -> None:
    """What can be known of what lies in the run's folders only when the base model is found.

    Raises:
        RefusedError: it was trained on other weights, or in another dtype; or the ranks have read different files.
        RuntimeError: the hosts hold different checkpoints.
    """
    refuse_unlike_ranks(start, fingerprint["learned"] | fingerprint["loaded"])
    problems = problems_of(
        lambda: refuse_others(start.authors, fingerprint),
        lambda: model_folder.refuse_other_model(model_folder.place_of(invocation), fingerprint),
        lambda: refuse_other_record(invocation.folders.output_data_dir, fingerprint),
    )
    refuse_together(problems)


def _watch(trainer: Counting, invocation: Invocation, state: PartialState) -> tuple[Watch, Stop]:
    """Puts our metric lines in the place of the trainer's own, and the author's watches over them."""
    stop, watches = Stop(trainer.args), Watches(invocation.settings)
    wrapper = expected_wrapper(invocation.settings.PARALLELISM, state.num_processes)
    told = introduction(invocation, trainer.fingerprint)
    watch = Watch(trainer, wrapper, told, lambda update, values: stop.break_off(watches.see(update, values)))
    trainer.add_callback(watch)
    trainer.remove_callback(PrinterCallback)
    if trainer.pop_callback(ProgressCallback):
        trainer.add_callback(QuietProgress)
    return watch, stop


def _broken(stop: Stop, invocation: Invocation) -> int:
    """Says which watch ended the run; returns the exit code."""
    if stop.reason:  # rank 0, which prints the lines that are watched
        print(f"train.py: ended by a watch: {stop.reason}", file=sys.stderr, flush=True)
        failure.tell(invocation.folders, [stop.reason])
    return BROKEN


def _stopped_after(update: int, name: str) -> str:
    if update:
        return f"stopped by {name} after update {update}; a new start resumes there"
    return f"stopped by {name} before the first update ended: nothing is saved"


def _past(start: Start, updates: int) -> list[str]:
    """What is wrong with a checkpoint that is past the last update; nothing where it is not."""
    if start.checkpoint is None or start.step <= updates:
        return []
    action = f"use another checkpoint folder than {start.checkpoint.parent}, or train at least {start.step}"
    return [f"{start.checkpoint} is past the {updates} updates to train", action]


def _train(trainer: Counting, state: PartialState, start: Start, updates: int) -> int | None:
    """Trains from where it starts to the last of so many updates; returns the update that it went on from.

    Raises:
        RefusedError: the checkpoint was changed since it was found.
    """
    if start.checkpoint is None:
        trainer.train()
        return None
    trainer.check(start)
    if start.step == updates:  # the trainer would add one update more
        state.print(f"hbspec: {start.checkpoint} is the last update already: nothing is left to train")
        trainer.load_finished(start.checkpoint, start.step)
        trainer.check(start)
    else:
        state.print(f"hbspec: resumes from {start.checkpoint}")
        trainer.resume(start.checkpoint, start.step)
    return start.step


def _deliver(trainer: Counting, state: PartialState, invocation: Invocation) -> None:
    """Saves the model beside what lies in the model folder, and then in its place."""
    unfinished = model_folder.unfinished(invocation.folders.model_dir, trainer.fingerprint)
    refuse_together(trainer.held.moved())
    if state.is_local_main_process:
        remove(unfinished)  # of a start of this run that was killed
    state.wait_for_everyone()
    with saying_room(unfinished):
        trainer.save_model(str(unfinished))
        if invocation.settings.CHAT_TEMPLATE and state.is_main_process:
            keep_endings(trainer.model, unfinished)
        if state.is_main_process:
            initial_adapters.drop_reference(unfinished)
            served_adapters.keep(unfinished)
    state.wait_for_everyone()
    with state.main_process_first():  # hosts may share the folder
        if state.is_main_process or (state.is_local_main_process and unfinished.is_dir()):
            place = model_folder.place_of(invocation)
            with saying_room(place.folder):
                model_folder.deliver(place, trainer.fingerprint, trainer.state.global_step)


def _counted(trainer: Counting, watch: Watch, epoch: Epoch, *, packed: bool) -> dict[str, Any]:
    """What this start of the job did, counted over all ranks. A step is an update since the first start."""
    updates, distinct = trainer.everything_consumed()
    return {
        "updates": len(updates),
        "last_step": trainer.state.global_step,
        "best": trainer.told_of_best(),
        "examples_per_update": max(updates, default=None),
        "examples_of_each_update": updates,
        "examples_consumed": sum(updates),
        "examples_distinct": None if packed else distinct,
        **trainer.rows_said(),
        "epoch": asdict(epoch),
        "checkpoints": watch.checkpoints,
        "first_loss": watch.losses[0] if watch.losses else None,
        "last_loss": watch.losses[-1] if watch.losses else None,
    }


def _override(override: tiny.Override) -> dict[str, str]:
    return {"name": override.name, "from": override.before, "to": override.after, "reason": override.reason}
