"""The trainer of each task: TRL 1.16's own, with what is counted, saved and stopped before it.

Examples come as rows of token ids (`splits.py`), but for the prompts of GRPO.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import trl
from counting import EXAMPLE, Counting, Epoch
from settings import Settings
from splits import Splits
from tasks import SUPERVISED, TASKS
from transformers import Trainer


class Supervised(Counting):
    """Before `trl.SFTTrainer`: it can compute the loss from whole logits.

    Args:
        loss: "standard" runs the model's own forward and holds all logits at once. "fused" and "chunked" are what TRL
            1.16 always does: its head runs in tiles of 4096 tokens x 32768 words and returns log-probabilities. Its
            documentation names overriding `compute_loss` as the way to another loss; no switch exists.
    """

    def __init__(self, *arguments: Any, loss: str, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.whole_logits = loss == "standard"

    def numbers(self, inputs: dict[str, Any]) -> list[int]:
        """Takes the numbers of its examples out of a micro-batch; -1 for each of packed rows.

        Of these there is one sequence boundary an example, and one at the end; wrapped rows have none.
        """
        numbers: list[int] | None = inputs.pop(EXAMPLE, None)
        if numbers is None:
            bounds = inputs.get("cu_seq_lens_q")
            numbers = [-1] * (len(inputs["input_ids"]) if bounds is None else bounds.numel() - 1)
        return numbers

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The loss of a micro-batch: mean over the trained tokens of the whole update."""
        if not self.whole_logits:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        inputs["use_cache"] = False
        return Trainer.compute_loss(self, model, inputs, return_outputs, num_items_in_batch)


class EachWrites:
    """An accelerator to which every process is the one that writes."""

    is_main_process = True

    def __init__(self, accelerator: Any) -> None:
        self._accelerator = accelerator

    def __getattr__(self, name: str) -> Any:
        """Whatever the accelerator has besides."""
        return getattr(self._accelerator, name)


class Compared(Counting):
    """Before TRL's trainers of answers that are compared, whose rows are token ids already."""

    accelerator: Any

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        return dataset

    def _precompute_ref_logps(self, dataset: Any, name: str, batch_size: int) -> Any:
        """The rows with what the reference says of them.

        TRL (1.16) has the first rank write it into a file and all of them read it. Rows that were made in memory have
        no folder but a temporary one of each process, so that each writes a file of its own.
        """
        accelerator, self.accelerator = self.accelerator, EachWrites(self.accelerator)
        try:
            return super()._precompute_ref_logps(dataset, name, batch_size)
        finally:
            self.accelerator = accelerator

    def rows_said(self) -> dict[str, Any]:
        """Rows that the model was trained on: two of a pair."""
        return {"rows_consumed": sum(self.every_row())}


class Generating(Counting):
    """Before `trl.GRPOTrainer`: an example is a prompt, counted when it is completed, and a row a completion.

    TRL deals out a prompt once for each completion, and again for each micro-batch that is trained on a generation.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.data_collator = self.data_collator.wrapped  # rows are handed on as they are

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
        """One micro-batch; what is in it is known once completions are made."""
        return super(Counting, self).training_step(model, inputs, num_items_in_batch=num_items_in_batch)

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> Any:
        """Completions of prompts on this process, counted where they are trained on."""
        if self.model.training:
            self.consumed.current += [row[EXAMPLE] for row in inputs]
        return super()._generate_and_score_completions(inputs)

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Any:
        """The loss of a micro-batch of completions."""
        if self.model.training:
            rows, length = inputs["completion_ids"].shape
            self.count_rows(rows, length + inputs["prompt_ids"].shape[1])
        return super()._compute_loss(model, inputs)

    def everything_consumed(self) -> tuple[list[int], int]:
        """Prompts whose completions were made in each update, over all processes, and how many different ones."""
        completions, distinct = super().everything_consumed()
        return [made // self.num_generations for made in completions], distinct

    def rehearse_epoch(self) -> Epoch:
        """One epoch; its examples are prompts."""
        dealt = super().rehearse_epoch()
        again = self.num_generations * self.num_iterations * self.args.steps_per_generation
        return Epoch(dealt.examples // again, dealt.distinct, dealt.micro_batches_per_rank, dealt.updates)

    def lacking(self, epoch: Epoch) -> list[str]:
        """TRL leaves out the prompts at the end of an epoch that do not fill a generation, and these may be all."""
        if epoch.updates:
            return []
        asked = self.args.generation_batch_size // self.num_generations
        said = f"a generation of TASK=grpo takes {asked} prompts, and the training data hold {len(self.train_dataset)}"
        return [f"{said}: set a smaller STEPS_PER_GENERATION, or use more data"]

    def rows_said(self) -> dict[str, Any]:
        """Completions that were made, and those that each update was trained on."""
        made, _ = super().everything_consumed()
        trained = self.every_row()
        return {"completions_generated": sum(made), "completions_of_each_update": trained}


BEFORE: Mapping[str, type[Counting]] = {
    "sft": Supervised,
    "pretrain": Supervised,
    "dpo": Compared,
    "kto": Compared,
    "reward": Compared,
    "grpo": Generating,
}


@cache
def of(task: str) -> type[Counting]:
    """The class of a task's trainer: what this script does before what TRL does."""
    named = TASKS[task].trainer
    return type(f"Counting{named}", (BEFORE[task], getattr(trl, named)), {})


def made(settings: Settings, splits: Splits, **named: Any) -> Counting:
    """The trainer of a run.

    Args:
        settings: of the run.
        splits: training data, and validation data if there are any.
        named: what TRL's trainer and `Best` are given besides.
    """
    if settings.TASK in SUPERVISED:
        named["loss"] = settings.LOSS
    evaluated = splits["validation"][0] if "validation" in splits else None
    trainer = of(settings.TASK)(train_dataset=splits["train"][0], eval_dataset=evaluated, **named)
    if settings.METHOD != "full" and settings.LORA_DROPOUT and not settings.task.drops_out:
        said = f"TRL switches dropout off in TASK={settings.TASK}: LORA_DROPOUT={settings.LORA_DROPOUT} has no effect"
        trainer.accelerator.print(f"hbspec: note {said}")
    return trainer
