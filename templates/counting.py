"""Before TRL's trainers: every example that reaches a training step is counted.

Nothing here is computed from settings. What the run consumed is counted where it is consumed; what an epoch would deal
out is counted by walking the sampler once more, indices only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import metrics
from accelerate.utils import gather_object
from best_model import Best
from told import StepClock, gpu_memory, gpus, planned
from transformers import ProgressCallback, TrainerCallback

EXAMPLE = "number of the example"
"""Column that carries it to the training step and never to the model; a reward function has no argument of the name."""


@dataclass(slots=True)
class Consumed:
    """What one process consumed.

    Attributes:
        updates: examples of each finished update.
        rows: rows of each finished update, as they reach the model: two of a pair.
        seen: numbers of the examples in finished updates; stays empty when rows are packed, which have no number.
        current: numbers of the examples since the last update (-1 where packed).
        current_rows: rows since then.
    """

    updates: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    current: list[int] = field(default_factory=list)
    current_rows: int = 0

    def close_update(self) -> None:
        """An update is finished: what was collected belongs to it."""
        self.updates.append(len(self.current))
        self.seen.update(number for number in self.current if number >= 0)
        self.rows.append(self.current_rows)
        self.current.clear()
        self.current_rows = 0


@dataclass(slots=True)
class Computed:
    """What one process computed since the last metric line: rows as they reach the model, padding included.

    Attributes:
        squares: sum of the squares of the rows' lengths.
        longest: tokens of the longest row.
    """

    rows: int = 0
    tokens: int = 0
    squares: int = 0
    longest: int = 0

    def take(self, rows: int, length: int) -> None:
        """A micro-batch."""
        self.rows += rows
        self.tokens += rows * length
        self.squares += rows * length**2
        self.longest = max(self.longest, length)


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the data as the sampler deals it out to all processes together."""

    examples: int
    distinct: int
    micro_batches_per_rank: int
    updates: int


class KeepExampleNumbers:
    """A collator that hands the example numbers on beside what the wrapped one makes, as a list and not a tensor."""

    def __init__(self, wrapped: Callable[[list[dict[str, Any]]], dict[str, Any]]) -> None:
        self.wrapped = wrapped

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """A batch of the rows."""
        batch = self.wrapped(rows)
        if EXAMPLE in rows[0]:
            batch[EXAMPLE] = [row[EXAMPLE] for row in rows]
        return batch


class Counting(Best):
    """Before one of TRL's trainers: it counts what is trained on."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.data_collator: Any = KeepExampleNumbers(self.data_collator)
        self.consumed = Consumed()
        self.computed = Computed()

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
        """One micro-batch forward and backward, its examples counted."""
        self.consumed.current += self.numbers(inputs)
        self.count_rows(*inputs["input_ids"].shape)
        return super().training_step(model, inputs, num_items_in_batch=num_items_in_batch)

    def numbers(self, inputs: dict[str, Any]) -> list[int]:
        """Takes the numbers of its examples out of a micro-batch."""
        found: list[int] = inputs.pop(EXAMPLE)
        return found

    def count_rows(self, rows: int, length: int) -> None:
        """Rows that the model is trained on."""
        self.consumed.current_rows += rows
        self.computed.take(rows, length)

    def rows_said(self) -> dict[str, Any]:
        """What the record says of rows, where they are not the examples."""
        return {}

    def rehearse_epoch(self) -> Epoch:
        """Counts one epoch by walking a fresh sampler; nothing is loaded, no random state is touched."""
        batches = list(self.get_train_dataloader().batch_sampler)
        dealt: list[list[list[int]]] = gather_object([batches])
        numbers = [number for rank in dealt for batch in rank for number in batch]
        accumulation = self.args.gradient_accumulation_steps
        updates = len(range(0, len(batches), accumulation))
        return Epoch(len(numbers), len(set(numbers)), len(batches), updates)

    def lacking(self, epoch: Epoch) -> list[str]:
        """Why an epoch deals out nothing, if it does not."""
        del epoch
        return []

    def everything_consumed(self) -> tuple[list[int], int]:
        """Examples of each update over all processes, and how many different ones there were."""
        everyone: list[Consumed] = gather_object([self.consumed])
        updates = [sum(counts) for counts in zip(*(each.updates for each in everyone), strict=True)]
        return updates, len(set().union(*(each.seen for each in everyone)))

    def every_row(self) -> list[int]:
        """Rows of each update over all processes."""
        everyone: list[list[int]] = gather_object([self.consumed.rows])
        return [sum(counts) for counts in zip(*everyone, strict=True)]


class QuietProgress(ProgressCallback):  # type: ignore[misc]  # transformers has no types
    """The progress bar without the raw log lines, which `Watch` prints in their fixed form."""

    def on_log(self, *_: Any, **__: Any) -> None:
        """Nothing."""


class Watch(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Prints the metric lines, keeps time, and counts checkpoints; `see` takes the lines of the training loss."""

    def __init__(
        self,
        trainer: Counting,
        expected_wrapper: str | None,
        told: Mapping[str, Any],
        see: Callable[[int, Mapping[str, float | int]], None],
    ) -> None:
        self.trainer = trainer
        self.see = see
        self.expected_wrapper = expected_wrapper
        self.told = told
        self.losses: list[float] = []
        self.checkpoints: list[str] = []
        self.clock = StepClock()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Says which run begins, and starts the clock; a wrapper that is not there is an error before the bill."""
        del control
        name = type(self.trainer.model_wrapped).__name__
        if self.expected_wrapper and self.expected_wrapper not in name:
            raise RuntimeError(f"the model is wrapped as {name}, not by {self.expected_wrapper}")
        if state.is_world_process_zero:
            print(metrics.run({**self.told, **planned(args, state), "gpus": gpus()}), flush=True)
        self.clock.tick(working=False)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """After an update."""
        del args, state, control
        self.trainer.consumed.close_update()
        self.clock.end_step()

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, float] | None = None, **_: Any) -> None:
        """Prints a metric line for a training or an evaluation loss."""
        del args, control
        shown = dict(logs or {})
        if "loss" in shown:
            self.clock.tick(working=True)  # reading the loss waited for the GPU
            self.losses.append(shown["loss"])
            values: dict[str, float | int] = {
                name: shown[name] for name in ("loss", "grad_norm", "learning_rate", "epoch") if name in shown
            }
            steps = max(self.clock.steps, 1)
            values |= {"step_seconds": self.clock.take(), **self._of_all_ranks(steps)}
            self.clock.tick(working=False)  # ranks told each other what they hold
        elif "eval_loss" in shown:
            values = {"eval_loss": shown["eval_loss"]}
        else:
            return
        if state.is_world_process_zero:
            print(metrics.line(state.global_step, values), flush=True)
            if "loss" in values:
                self.see(state.global_step, values)

    def _of_all_ranks(self, steps: int) -> dict[str, float | int]:
        """The memory of the fullest GPU, and the rows of an update: those of a rank, or the longest of all."""
        own, self.trainer.computed = self.trainer.computed, Computed()
        everyone: list[tuple[dict[str, int], Computed]] = gather_object([(gpu_memory(), own)])
        memories, computed = [memory for memory, _ in everyone], [each for _, each in everyone]
        rows, tokens, squares = (
            sum(getattr(each, name) for each in computed) for name in ("rows", "tokens", "squares")
        )
        return {
            **{name: max(memory.get(name, 0) for memory in memories) for name in dict.fromkeys(chain(*memories))},
            "tokens": tokens / len(computed) / steps,
            "longest": max(each.longest for each in computed),
            "unevenness": squares * rows / max(tokens, 1) ** 2,
        }

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Evaluation is not part of a step's time."""
        del args, state, control
        self.clock.tick(working=False)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """A checkpoint was written, unless its weights are not finite; that is not part of a step's time."""
        del args, control
        if self.trainer.saved_step == state.global_step:
            self.checkpoints.append(f"checkpoint-{state.global_step}")
        self.clock.tick(working=False)
