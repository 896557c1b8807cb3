"""The counts of the data loop as a spec asks for it, and their ends where the number of packed rows is not known."""

from __future__ import annotations

from math import ceil

from hbspec.diagnostics import Missing, Route
from hbspec.plan import counts as count
from hbspec.plan.epochs import EVALUATED_AT_END
from hbspec.plan.generations import generated_counts, generations
from hbspec.plan.lengths import Lengths, Profile
from hbspec.plan.loop import BoundingLoop, Counts
from hbspec.plan.splits import split_examples
from hbspec.plan.training import Training
from hbspec.spec import Spec
from hbspec.units import Interval


def data_loop(
    spec: Spec,
    profile: Profile | None,
    training: Training,
    data_parallel: int | None,
    lengths: Lengths,
    kept: Interval,
    unknown: dict[str, Missing],
) -> tuple[Counts | None, tuple[BoundingLoop, ...]]:
    """The counts as expected, None where they are not known, and the loops that bound those over any number of rows.

    Their first is over the fewest rows, and their last over the most.

    Args:
        spec: the typed spec.
        profile: the profile of the training split, if there is one.
        training: the resolved hyperparameters.
        data_parallel: data-parallel ranks, if known.
        lengths: lengths of the rows.
        kept: the share of the examples that are not left out as too long.
        unknown: is told what is not known.
    """
    examples, validation = split_examples(spec, profile)
    if examples is None:
        route: Route = ("data", "profile") if spec.data.profile else ("data", "train", "examples")
        unknown["counts"] = Missing("data.train.examples", route)
    elif examples == 0:
        unknown["counts"] = Missing("an example to train on", ("data", "validation", "share"))
    elif kept.high == 0:
        unknown["counts"] = Missing("an example within max_length", ("hyperparameters", "max_length"))
    if data_parallel is None:
        unknown["counts"] = unknown["data_parallel_size"]
    if not examples or kept.high == 0 or data_parallel is None:
        return None, ()
    shared = spec.data.validation is not None and spec.data.validation.share is not None
    trained = _left(kept, examples, (validation or 0) if shared else 0)
    made = _generated if spec.task == "grpo" else _given
    counts, ends = made(spec, training, data_parallel, trained, lengths)
    if counts is None:
        unknown["counts"] = Missing("as many prompts as are generated from at once", ("data", "train", "examples"))
    return counts, tuple(_loop(spec, training, loop, validation) for loop in ends)


def _left(kept: Interval, trained: int, held_out: int) -> Interval:
    """How many of the examples to train on are left, at least one.

    Args:
        kept: the share of all examples.
        trained: examples to train on.
        held_out: examples held out of the same files; those left out may be on either side.
    """
    few, many = (round(share * (trained + held_out)) for share in (kept.low, kept.high))
    low, high = max(1, few - held_out), max(1, min(trained, many))
    return Interval(low, min(max(low, round(kept.expected * trained)), high), high)


def _given(
    spec: Spec, training: Training, data_parallel: int, examples: Interval, lengths: Lengths
) -> tuple[Counts | None, list[Counts]]:
    """The counts over so many examples, and those that bound them."""
    del spec
    usual = round(examples.expected)
    rows = packed_rows(lengths, training, usual) if training.packing else examples
    counts = _counted(training, data_parallel, usual, round(rows.expected))
    if rows.is_exact:
        return counts, []
    ends = _ends(round(rows.low), round(rows.high), training, counts.effective_batch_size)
    return counts, [_counted(training, data_parallel, usual if training.packing else end, end) for end in ends]


def _generated(
    spec: Spec, training: Training, data_parallel: int, prompts: Interval, lengths: Lengths
) -> tuple[Counts | None, list[Counts]]:
    """As `_given`, over completions of so many prompts.

    Of so many updates, those at the ends of epochs may lack micro-batches: how many repeats with the generations of an
    epoch, and there are most such ends in the shortest epoch of its kind.
    """
    del lengths
    found, accumulation = generations(spec, data_parallel), training.gradient_accumulation
    counts = generated_counts(found, training, data_parallel, round(prompts.expected))
    if counts is None or prompts.is_exact:
        return counts, []
    few, many = max(round(prompts.low), found.prompts), round(prompts.high)
    kinds = accumulation if training.max_steps and found.steps * found.iterations % accumulation else 1
    between = (few + found.prompts * kind for kind in range(1, kinds))
    ends = sorted({few, many, *(number for number in between if number < many)})
    every = (generated_counts(found, training, data_parallel, number) for number in ends)
    return counts, [one for one in every if one is not None]


def _ends(few: int, many: int, training: Training, effective: int) -> list[int]:
    """Numbers of rows from few to many between whose counts are those over every number between.

    Counts grow with the rows, but for the micro-batches of so many updates: most where every update is full, fewest
    where the last of the shortest epoch has one micro-batch.
    """
    full = ceil(few / effective) * effective
    between = (full, full + 1) if training.max_steps else ()
    return sorted({few, many, *(rows for rows in between if few < rows < many)})


def _counted(training: Training, data_parallel: int, examples: int, rows: int) -> Counts:
    """The counts over so many rows of the examples."""
    batch, accumulation = training.micro_batch, training.gradient_accumulation
    per_epoch = count.steps_per_epoch(rows, batch, accumulation, data_parallel)
    steps = count.optimizer_steps(per_epoch, training.max_steps, training.epochs)
    effective = count.effective_batch_size(batch, accumulation, data_parallel)
    processed = count.examples_processed(steps, rows, batch, accumulation, data_parallel)
    nominal = count.nominal_examples(steps, effective)
    micro_batches = count.micro_batches_processed(steps, rows, batch, accumulation, data_parallel)
    if training.packing:  # a row holds several examples, so counts of examples are scaled from counts of rows
        processed, nominal = (round(number * examples / rows) for number in (processed, nominal))
    return Counts(
        examples=examples,
        rows=rows,
        effective_batch_size=effective,
        micro_batches_per_epoch=count.micro_batches_per_epoch(rows, batch, data_parallel),
        steps_per_epoch=per_epoch,
        optimizer_steps=steps,
        rows_computed=training.rows * data_parallel * micro_batches,
        micro_batches=micro_batches,
        examples_processed=processed,
        nominal_examples=nominal,
        epochs=processed / examples,
        nominal_epochs=nominal / examples,
    )


def evaluations(spec: Spec, training: Training, counts: Counts | None, validation: int | None) -> int | None:
    """The number of evaluations: one every `eval_steps`, and one at the end where the trainer adds it.

    Without `eval_steps` the shipped script evaluates once, at the end.
    """
    if not validation or counts is None:
        return 0 if validation == 0 else None
    if training.evals_per_epoch == 1:  # also where the last epoch is not a whole one
        return ceil(counts.optimizer_steps / counts.steps_per_epoch)
    if training.eval_steps:
        every, rest = divmod(counts.optimizer_steps, int(training.eval_steps))
        return every + (rest > 0 and not training.own_loop and training.has(EVALUATED_AT_END))
    return 1 if spec.shipped else 0


def packed_rows(lengths: Lengths, training: Training, examples: int) -> Interval:
    """Packed rows of the examples: exact where their lengths are."""
    return lengths.packed(training.max_length, examples, best_fit=training.joined)


def _loop(spec: Spec, training: Training, counts: Counts, validation: int | None) -> BoundingLoop:
    paced = training.over(counts.optimizer_steps, counts.steps_per_epoch)
    return BoundingLoop(counts, paced.save_steps, paced.eval_steps, evaluations(spec, paced, counts, validation))
