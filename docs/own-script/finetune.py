"""Fine-tunes all weights of a small chat model on conversations, with a plain `transformers.Trainer`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import hbspec_job  # first: from here on a job that is stopped ends well
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments


class Collator:
    """Rows of token ids, padded to the longest; padding is not learned."""

    def __init__(self, padding: int) -> None:
        self.padding = padding

    def __call__(self, rows: list[torch.Tensor]) -> dict[str, torch.Tensor]:
        """A batch."""
        ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=self.padding)
        lengths = torch.tensor([len(row) for row in rows])
        held = torch.arange(ids.shape[1])[None, :] < lengths[:, None]
        return {"input_ids": ids, "attention_mask": held.long(), "labels": ids.masked_fill(~held, -100)}


def conversations(folder: Path, tokenizer: Any, longest: int) -> list[torch.Tensor]:
    """Token ids of each line of the JSON lines in a folder."""
    lines = [line for file in sorted(folder.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()]
    texts = (tokenizer.apply_chat_template(json.loads(line)["messages"], tokenize=False) for line in lines)
    return [torch.tensor(tokenizer(text)["input_ids"][:longest]) for text in texts]


def main() -> int:
    """Trains, and returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--MODEL_ID", required=True)
    parser.add_argument("--LEARNING_RATE", type=float, required=True)
    parser.add_argument("--MAX_STEPS", type=int, required=True)
    parser.add_argument("--PER_DEVICE_BATCH_SIZE", type=int, required=True)
    parser.add_argument("--GRADIENT_ACCUMULATION_STEPS", type=int, default=1)
    parser.add_argument("--MAX_LENGTH", type=int, required=True)
    parser.add_argument("--SAVE_STEPS", type=int, default=50)
    parser.add_argument("--root", type=Path, default=Path("/opt/ml"))
    given = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(given.MODEL_ID)
    arguments = TrainingArguments(
        output_dir=str(given.root / "checkpoints"),
        learning_rate=given.LEARNING_RATE,
        max_steps=given.MAX_STEPS,
        per_device_train_batch_size=given.PER_DEVICE_BATCH_SIZE,
        gradient_accumulation_steps=given.GRADIENT_ACCUMULATION_STEPS,
        save_steps=given.SAVE_STEPS,
        save_total_limit=2,
        logging_steps=1,
        report_to="none",
        use_cpu=not torch.cuda.is_available(),
    )
    trainer = Trainer(
        AutoModelForCausalLM.from_pretrained(given.MODEL_ID),
        arguments,
        data_collator=Collator(tokenizer.pad_token_id),
        train_dataset=conversations(given.root / "input/data/train", tokenizer, given.MAX_LENGTH),
    )
    job = hbspec_job.Job(trainer, learned={"MAX_LENGTH": given.MAX_LENGTH})
    if job.train():  # False: it was stopped, and is saved
        trainer.save_model(str(given.root / "model"))
        if trainer.is_world_process_zero():
            tokenizer.save_pretrained(given.root / "model")
    return job.end()


if __name__ == "__main__":
    sys.exit(main())
