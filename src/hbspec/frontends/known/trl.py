"""TRL 1.16.0: its name in the table of defaults, its keys, and those of earlier versions."""

from __future__ import annotations

from hbspec.frontends.reading.influence import SHARED, ProgramKeys, influences
from hbspec.frontends.reading.pinned import pinned, title

PROGRAM = "trl"
ALIASES = {"max_seq_length": "max_length", "torch_dtype": "dtype", "evaluation_strategy": "eval_strategy"}
"""Keys of earlier versions, which are read as those that took their place."""
EARLIER = frozenset(
    (
        *("warmup_ratio", "overwrite_output_dir", "logging_dir", "save_safetensors", "group_by_length", "do_train"),
        *(
            "dataset_mixture",
            "dataset_mixer",
            "dataset_splits",
            "dataset_configs",
            "chat_template",
            "preprocessing_num_workers",
        ),
        *("dataset_batch_size", "max_prompt_length", "hub_model_revision", "hub_private_repo", "datasets", "do_eval"),
        *("auto_insert_empty_system_msg", "seed_for_data", "push_to_hub_revision"),
    )
)
"""Keys of earlier versions, or of the alignment handbook's scripts, that influence neither memory nor time here."""

TASKS = ("dpo", "kto", "reward")
"""Trainers beside SFTTrainer whose keys are read."""


def fields() -> ProgramKeys:
    """The keys of `trl sft`, and of the other trainers that are read."""
    theirs = pinned(PROGRAM)["tasks"]
    known = frozenset(pinned(PROGRAM)["fields"]) | EARLIER.union(*(theirs[task] for task in TASKS))
    return ProgramKeys(title(PROGRAM, "TRL"), known, influences(SHARED, PROGRAM), ALIASES)


def fields_of(task: str) -> ProgramKeys:
    """The keys of `trl sft`, or of another trainer that a command names."""
    known = frozenset(pinned(PROGRAM)["fields"]) | EARLIER.union(pinned(PROGRAM)["tasks"].get(task, ()))
    return fields()._replace(known=known)
