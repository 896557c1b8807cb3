"""The settings of the training job: one table of names, types, defaults and meanings.

Nothing here imports more than the standard library, so that other programs can read the table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

ROOT = Path("/opt/ml")
"""Where SageMaker lays out a training container:
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo.html"""

RUN_FILE = "run.json"
"""What was counted, in the output folder."""
TINY_FOLDER = "tiny-model"
"""A rehearsal's base model, in the output folder."""

OPTIMIZERS = (
    "adamw_torch", "adamw_torch_fused", "adamw_bnb_8bit", "adamw_8bit", "paged_adamw_32bit", "paged_adamw_8bit",
    "lion_32bit", "lion_8bit", "paged_lion_32bit", "paged_lion_8bit", "adafactor", "sgd", "adagrad", "rmsprop",
)  # fmt: skip
"""`transformers.OptimizerNames` that need nothing beyond requirements.txt."""

SCHEDULERS = (
    "linear", "cosine", "cosine_with_restarts", "polynomial", "constant", "constant_with_warmup", "inverse_sqrt",
)  # fmt: skip
"""`transformers.SchedulerType` that need no further arguments."""

ENDLESS = ("constant", "constant_with_warmup", "inverse_sqrt")
"""Schedules whose learning rate does not depend on when the run ends; the others fall towards the last update."""

DISTRIBUTED = ("ddp", "fsdp", "zero1", "zero2", "zero3")


class RefusedError(ValueError):
    """What was handed over cannot be used; `problems` says why, one line each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


def flag(value: str) -> bool:
    """`true` or `false`; anything else is a ValueError."""
    if value not in ("true", "false"):
        raise ValueError("must be true or false")
    return value == "true"


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return value

    return parse


def whole(at_least: int) -> Callable[[str], int]:
    """A parser of whole numbers with a lower bound; anything else is a ValueError."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]+", value) or int(value) < at_least:
            raise ValueError(f"must be a whole number, {at_least} or more")
        return int(value)

    return parse


def _number(meaning: str, holds: Callable[[float], bool]) -> Callable[[str], float]:
    def parse(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            raise ValueError(f"must be a number, {meaning}") from None
        if not holds(number):  # false for nan too
            raise ValueError(f"must be a number, {meaning}")
        return number

    return parse


def _names(value: str) -> tuple[str, ...]:
    try:
        given = json.loads(value)
    except ValueError:
        given = None
    if not isinstance(given, list) or not given or not all(isinstance(name, str) and name for name in given):
        raise ValueError('must be a JSON list of names, like ["q_proj", "v_proj"]')
    return tuple(given)


def _targets(value: str) -> str | tuple[str, ...]:
    if value == "all-linear":
        return value
    try:
        return _names(value)
    except ValueError as reason:
        raise ValueError(f"{reason}, or all-linear") from None


@dataclass(frozen=True, slots=True)
class Learned:
    """Whether another value of a setting makes another model; a run goes on only from checkpoints of the same one.

    Attributes:
        text: the answer in words.
        holds: the answer for a run's settings.
    """

    text: str
    holds: Callable[[Settings], bool]


def _schedule_ends(settings: Settings) -> bool:
    warmed_by_share = settings.LR_SCHEDULER_TYPE != "constant" and settings.WARMUP_RATIO is not None
    return settings.LR_SCHEDULER_TYPE not in ENDLESS or warmed_by_share


YES = Learned("yes", lambda _: True)
NO = Learned("no", lambda _: False)
BY_BATCH = Learned("only the effective batch does", lambda _: False)
BY_LAYOUT = Learned("only where the files differ (fsdp, zero)", lambda _: False)
BY_LENGTH = Learned("yes, unless the schedule is constant or inverse_sqrt", _schedule_ends)
BY_EPOCHS = Learned(BY_LENGTH.text, lambda settings: settings.MAX_STEPS is None and _schedule_ends(settings))
BY_BEST = Learned("with LOAD_BEST_MODEL_AT_END", lambda settings: settings.LOAD_BEST_MODEL_AT_END)


def _setting(default: Any, parse: Callable[[str], Any], about: str, learned: Learned = YES) -> Any:
    return field(default=default, metadata={"parse": parse, "about": about, "learned": learned})


def _one_of(default: str, allowed: Sequence[str], about: str, learned: Learned = YES) -> Any:
    return _setting(default, _choice(*allowed), f"{about}: {', '.join(allowed)}", learned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting. The fields are the single source of names, types, defaults, meanings and of what they decide.

    A setting that does not say otherwise changes what is learned (`Learned`).

    None means "not set": the trainer then does what the meaning says.
    """

    MODEL_ID: str = _setting(MISSING, _text, "Hugging Face id or local folder of the base model (required)")
    REVISION: str | None = _setting(None, _text, "branch, tag or commit of the weights")
    METHOD: str = _one_of("qlora", ("qlora", "lora", "full"), "what is trained")
    LEARNING_RATE: float = _setting(2e-5, _number("above 0, at most 1", lambda x: 0 < x <= 1), "peak learning rate")
    MAX_STEPS: int | None = _setting(None, whole(1), "optimizer updates; beats NUM_TRAIN_EPOCHS", BY_LENGTH)
    NUM_TRAIN_EPOCHS: float | None = _setting(
        None,
        _number("above 0", lambda x: 0 < x < 1e6),
        "passes over the data; 3 if MAX_STEPS is not set either",
        BY_EPOCHS,
    )
    PER_DEVICE_BATCH_SIZE: int = _setting(1, whole(1), "micro-batch: rows a process takes at once", BY_BATCH)
    GRADIENT_ACCUMULATION_STEPS: int = _setting(1, whole(1), "micro-batches of an update", BY_BATCH)
    MAX_LENGTH: int = _setting(1024, whole(1), "tokens after which an example is cut")
    PACKING: bool = _setting(False, flag, "fill every row with several examples")
    LORA_R: int = _setting(16, whole(1), "adapter rank")
    LORA_ALPHA: float = _setting(32.0, _number("above 0", lambda x: 0 < x < 1e9), "adapter scale")
    LORA_DROPOUT: float = _setting(0.05, _number("from 0 to below 1", lambda x: 0 <= x < 1), "dropout before adapters")
    TARGET_MODULES: str | tuple[str, ...] = _setting("all-linear", _targets, "modules that get adapters")
    MODULES_TO_SAVE: tuple[str, ...] = _setting((), _names, "modules trained and saved whole beside the adapters")
    USE_RSLORA: bool = _setting(False, flag, "scale adapters by the root of the rank")
    USE_DORA: bool = _setting(False, flag, "weight-decomposed adapters")
    BNB_QUANT_TYPE: str = _one_of("nf4", ("nf4", "fp4", "int8"), "quantised storage of the base (qlora)")
    BNB_DOUBLE_QUANT: bool = _setting(True, flag, "quantise the scales too (qlora)")
    BNB_4BIT_QUANT_STORAGE: str = _one_of(
        "uint8", ("uint8", "bfloat16", "float16", "float32"), "storage dtype of 4-bit weights (qlora)", NO
    )
    BF16: bool | None = _setting(None, flag, "compute in bfloat16; what the GPU can do if FP16 is not set either")
    FP16: bool | None = _setting(None, flag, "compute in float16")
    GRADIENT_CHECKPOINTING: bool = _setting(True, flag, "recompute activations in the backward pass", NO)
    ATTN_IMPLEMENTATION: str = _one_of("sdpa", ("eager", "sdpa", "flash_attention_2"), "attention kernel")
    LOSS: str = _one_of(
        "fused", ("standard", "chunked", "fused"), "all logits at once, or in tiles (chunked is fused in TRL 1.16)"
    )
    OPTIM: str = _one_of("adamw_torch", OPTIMIZERS, "optimizer")
    LR_SCHEDULER_TYPE: str = _one_of("linear", SCHEDULERS, "learning-rate schedule")
    WARMUP_RATIO: float | None = _setting(
        None, _number("from 0 to below 1", lambda x: 0 <= x < 1), "share of the updates that warm up"
    )
    WARMUP_STEPS: int | None = _setting(None, whole(0), "updates that warm up")
    WEIGHT_DECAY: float = _setting(0.0, _number("0 or more", lambda x: 0 <= x < 1e3), "weight decay")
    MAX_GRAD_NORM: float = _setting(1.0, _number("0 or more", lambda x: 0 <= x < 1e9), "gradients are clipped to this")
    EVAL_STEPS: int | None = _setting(
        None, whole(1), "updates between evaluations; once at the end if not set", BY_BEST
    )
    SAVE_STEPS: int = _setting(50, whole(1), "updates between checkpoints; one more at the end", BY_BEST)
    SAVE_TOTAL_LIMIT: int = _setting(3, whole(1), "checkpoints kept", NO)
    LOAD_BEST_MODEL_AT_END: bool = _setting(False, flag, "keep the checkpoint with the lowest evaluation loss")
    LOGGING_STEPS: int = _setting(1, whole(1), "updates between metric lines", NO)
    SEED: int = _setting(42, whole(0), "seed of weights, adapters and data order")
    PARALLELISM: str = _one_of(
        "single",
        ("single", "pipeline", *DISTRIBUTED),
        "one process (pipeline: layers over all GPUs) or one a GPU",
        BY_LAYOUT,
    )
    DATA_FORMAT: str = _one_of("messages", ("messages",), "JSON lines of {messages: [{role, content}, ...]}")

    @property
    def epochs(self) -> float:
        """Passes over the data where MAX_STEPS does not say how long to train."""
        return 3.0 if self.NUM_TRAIN_EPOCHS is None else self.NUM_TRAIN_EPOCHS


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """What the command line alone can say: where things lie, and the two switches that make a run a rehearsal."""

    config_dir: Path = ROOT / "input/config"
    train_dir: Path = ROOT / "input/data/train"
    validation_dir: Path = ROOT / "input/data/validation"
    checkpoint_dir: Path = ROOT / "checkpoints"
    model_dir: Path = ROOT / "model"
    output_data_dir: Path = ROOT / "output/data"
    model_config: Path | None = None
    max_updates: int | None = None
    tiny: bool = False


WRITTEN = ("checkpoint_dir", "model_dir", "output_data_dir")
"""The fields of `Folders` that a run writes into."""


def option(name: str) -> str:
    """A field of `Folders` as the command line spells it.

    >>> option("model_dir")
    '--model-dir'
    """
    return f"--{name.replace('_', '-')}"


@dataclass(frozen=True, slots=True)
class Invocation:
    """One run: its settings and its folders."""

    settings: Settings
    folders: Folders

    @property
    def config_file(self) -> Path:
        """The config.json that names the architecture: `--model-config`, or the one in the model's local folder."""
        return self.folders.model_config or Path(self.settings.MODEL_ID) / "config.json"

    @property
    def base_folders(self) -> tuple[Path, ...]:
        """Where the base model lies, if on this machine: a local folder, and a rehearsal's own."""
        local = Path(self.settings.MODEL_ID)
        tiny = [self.folders.output_data_dir / TINY_FOLDER] if self.folders.tiny else []
        return (*([local] if local.is_dir() else []), *tiny)


def names() -> tuple[str, ...]:
    """Every setting's name, in the table's order."""
    return tuple(entry.name for entry in fields(Settings))


def defaults() -> dict[str, Any]:
    """Every setting that has a default, and the default."""
    return {entry.name: entry.default for entry in fields(Settings) if entry.default is not MISSING}


def usage() -> str:
    """The table as text, for `--help`."""
    lines = ["train.py [--NAME value]... [--tiny] [--max-updates N] [--model-config FILE] [--FOLDER-dir PATH]...", ""]
    for entry in fields(Settings):
        default = str(entry.default).lower() if isinstance(entry.default, bool) else entry.default
        default = "" if default in (MISSING, None, ()) else f" [{default}]"
        lines.append(f"  --{entry.name:<28} {entry.metadata['about']}{default}")
    options = ", ".join(option(entry.name) for entry in fields(Folders))
    return "\n".join([*lines, "", f"  folders and switches: {options}"])
