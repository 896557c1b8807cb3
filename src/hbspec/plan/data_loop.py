"""The counts of the data loop as a spec asks for it, and their ends where the number of packed rows is not known."""

from __future__ import annotations

from math import ceil

from hbspec.diagnostics import Missing, Route
from hbspec.plan import counts as count
from hbspec.plan.epochs import EVALUATED_AT_END
from hbspec.plan.generations import generated_counts, generations
from hbspec.plan.lengths import Lengths, Profile
from hbspec.plan.loop import Counts, PackedLoop
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
    unknown: dict[str, Missing],
) -> tuple[Counts | None, tuple[PackedLoop, ...]]:
    """The counts as expected, None where they are not known, and the loops that bound those over any packed rows.

    Their first is over the fewest rows, and their last over the most.
    """
    counts = _expected(spec, profile, training, data_parallel, lengths, unknown)
    if counts is None or data_parallel is None or not training.packing or training.rollouts is not None:
        return counts, ()
    rows, (_, validation) = packed_rows(lengths, training, counts.examples), split_examples(spec, profile)
    if rows.is_exact:
        return counts, ()
    ends = _ends(round(rows.low), round(rows.high), training, counts.effective_batch_size)
    loops = (_counted(training, data_parallel, counts.examples, end) for end in ends)
    return counts, tuple(_loop(spec, training, loop, validation) for loop in loops)


def _ends(few: int, many: int, training: Training, effective: int) -> list[int]:
    """Numbers of packed rows from few to many between whose counts are those over every number between.

    Counts grow with the rows, but for the micro-batches of so many updates: most where every update is full, fewest
    where the last of the shortest epoch has one micro-batch.
    """
    full = ceil(few / effective) * effective
    between = (full, full + 1) if training.max_steps else ()
    return sorted({few, many, *(rows for rows in between if few < rows < many)})


def _expected(
    spec: Spec,
    profile: Profile | None,
    training: Training,
    data_parallel: int | None,
    lengths: Lengths,
    unknown: dict[str, Missing],
) -> Counts | None:
    examples, _ = split_examples(spec, profile)
    if examples is None:
        route: Route = ("data", "profile") if spec.data.profile else ("data", "train", "examples")
        unknown["counts"] = Missing("data.train.examples", route)
    elif examples == 0:
        unknown["counts"] = Missing("an example to train on", ("data", "validation", "share"))
    if data_parallel is None:
        unknown["counts"] = unknown["data_parallel_size"]
    if not examples or data_parallel is None:
        return None
    if spec.task == "grpo":
        found = generated_counts(generations(spec, data_parallel), training, data_parallel, examples)
        if found is None:
            unknown["counts"] = Missing("as many prompts as are generated from at once", ("data", "train", "examples"))
        return found
    rows = packed_rows(lengths, training, examples).expected if training.packing else examples
    return _counted(training, data_parallel, examples, round(rows))


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


def _loop(spec: Spec, training: Training, counts: Counts, validation: int | None) -> PackedLoop:
    paced = training.over(counts.optimizer_steps, counts.steps_per_epoch)
    return PackedLoop(counts, paced.save_steps, paced.eval_steps, evaluations(spec, paced, counts, validation))
