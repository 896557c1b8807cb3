"""The settings of the training job: one table of names, types, defaults and meanings, and how they are handed over.

SageMaker hands hyperparameters over as a JSON map of strings (`/opt/ml/input/config/hyperparameters.json`) and its
launchers repeat them on the command line; the command line wins. Nothing here imports more than the standard library,
so that a mistake is refused in milliseconds and other programs can read the table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

ROOT = Path("/opt/ml")
"""Where SageMaker lays out a training container:
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo.html"""

LAUNCHER_PREFIX = "sagemaker_"
"""Hyperparameters that SageMaker's own tools add for themselves begin so; they are none of ours and are passed over."""

OPTIMIZERS = (
    "adamw_torch", "adamw_torch_fused", "adamw_bnb_8bit", "adamw_8bit", "paged_adamw_32bit", "paged_adamw_8bit",
    "lion_32bit", "lion_8bit", "paged_lion_32bit", "paged_lion_8bit", "adafactor", "sgd", "adagrad", "rmsprop",
)  # fmt: skip
"""`transformers.OptimizerNames` that need nothing beyond requirements.txt."""

SCHEDULERS = (
    "linear", "cosine", "cosine_with_restarts", "polynomial", "constant", "constant_with_warmup", "inverse_sqrt",
)  # fmt: skip
"""`transformers.SchedulerType` that need no further arguments."""

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


def _flag(value: str) -> bool:
    if value not in ("true", "false"):
        raise ValueError("must be true or false")
    return value == "true"


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return value

    return parse


def _whole(at_least: int) -> Callable[[str], int]:
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


def _setting(default: Any, parse: Callable[[str], Any], about: str) -> Any:
    return field(default=default, metadata={"parse": parse, "about": about})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting. The fields are the single source of names, types, defaults and meanings.

    None means "not set": the trainer then does what the meaning says.
    """

    MODEL_ID: str = _setting(MISSING, _text, "Hugging Face id or local folder of the base model (required)")
    REVISION: str | None = _setting(None, _text, "branch, tag or commit of the weights")
    METHOD: str = _setting("qlora", _choice("qlora", "lora", "full"), "what is trained")
    LEARNING_RATE: float = _setting(2e-5, _number("above 0, at most 1", lambda x: 0 < x <= 1), "peak learning rate")
    MAX_STEPS: int | None = _setting(None, _whole(1), "optimizer updates; beats NUM_TRAIN_EPOCHS")
    NUM_TRAIN_EPOCHS: float | None = _setting(
        None, _number("above 0", lambda x: 0 < x < 1e6), "passes over the data; 3 if MAX_STEPS is not set either"
    )
    PER_DEVICE_BATCH_SIZE: int = _setting(1, _whole(1), "micro-batch: rows a process takes at once")
    GRADIENT_ACCUMULATION_STEPS: int = _setting(1, _whole(1), "micro-batches of an update")
    MAX_LENGTH: int = _setting(1024, _whole(1), "tokens after which an example is cut")
    PACKING: bool = _setting(False, _flag, "fill every row with several examples")
    LORA_R: int = _setting(16, _whole(1), "adapter rank")
    LORA_ALPHA: float = _setting(32.0, _number("above 0", lambda x: 0 < x < 1e9), "adapter scale")
    LORA_DROPOUT: float = _setting(0.05, _number("from 0 to below 1", lambda x: 0 <= x < 1), "dropout before adapters")
    TARGET_MODULES: str | tuple[str, ...] = _setting("all-linear", _targets, "modules that get adapters")
    MODULES_TO_SAVE: tuple[str, ...] = _setting((), _names, "modules trained and saved whole beside the adapters")
    USE_RSLORA: bool = _setting(False, _flag, "scale adapters by the root of the rank")
    USE_DORA: bool = _setting(False, _flag, "weight-decomposed adapters")
    BNB_QUANT_TYPE: str = _setting("nf4", _choice("nf4", "fp4", "int8"), "quantised storage of the base (qlora)")
    BNB_DOUBLE_QUANT: bool = _setting(True, _flag, "quantise the scales too (qlora)")
    BNB_4BIT_QUANT_STORAGE: str = _setting(
        "uint8", _choice("uint8", "bfloat16", "float16", "float32"), "storage dtype of 4-bit weights (qlora)"
    )
    BF16: bool | None = _setting(None, _flag, "compute in bfloat16; what the GPU can do if FP16 is not set either")
    FP16: bool | None = _setting(None, _flag, "compute in float16")
    GRADIENT_CHECKPOINTING: bool = _setting(True, _flag, "recompute activations in the backward pass")
    ATTN_IMPLEMENTATION: str = _setting("sdpa", _choice("eager", "sdpa", "flash_attention_2"), "attention kernel")
    LOSS: str = _setting(
        "fused",
        _choice("standard", "chunked", "fused"),
        "fused and chunked are the same in TRL 1.16: the head runs in tiles; standard holds all logits at once",
    )
    OPTIM: str = _setting("adamw_torch", _choice(*OPTIMIZERS), "optimizer, by its transformers name")
    LR_SCHEDULER_TYPE: str = _setting("linear", _choice(*SCHEDULERS), "learning-rate schedule")
    WARMUP_RATIO: float | None = _setting(
        None, _number("from 0 to below 1", lambda x: 0 <= x < 1), "share of the updates that warm up"
    )
    WARMUP_STEPS: int | None = _setting(None, _whole(0), "updates that warm up")
    WEIGHT_DECAY: float = _setting(0.0, _number("0 or more", lambda x: 0 <= x < 1e3), "weight decay")
    MAX_GRAD_NORM: float = _setting(1.0, _number("0 or more", lambda x: 0 <= x < 1e9), "gradients are clipped to this")
    EVAL_STEPS: int | None = _setting(None, _whole(1), "updates between evaluations; once at the end if not set")
    SAVE_STEPS: int = _setting(50, _whole(1), "updates between checkpoints; one more at the end")
    SAVE_TOTAL_LIMIT: int = _setting(3, _whole(1), "checkpoints kept")
    LOAD_BEST_MODEL_AT_END: bool = _setting(False, _flag, "keep the checkpoint with the lowest evaluation loss")
    LOGGING_STEPS: int = _setting(1, _whole(1), "updates between metric lines")
    SEED: int = _setting(42, _whole(0), "seed of weights, adapters and data order")
    PARALLELISM: str = _setting(
        "single",
        _choice("single", "pipeline", *DISTRIBUTED),
        "single and pipeline (layers over all GPUs) run one process, the others one a GPU",
    )
    DATA_FORMAT: str = _setting("messages", _choice("messages"), "JSON lines of {messages: [{role, content}, ...]}")

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


ENVIRONMENT = {
    "train_dir": "SM_CHANNEL_TRAIN",
    "validation_dir": "SM_CHANNEL_VALIDATION",
    "model_dir": "SM_MODEL_DIR",
    "output_data_dir": "SM_OUTPUT_DATA_DIR",
}
"""Folders that SageMaker's launchers name in the environment; the command line beats them."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One run: its settings and its folders."""

    settings: Settings
    folders: Folders


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
        default = "" if entry.default in (MISSING, None) else f" [{entry.default}]"
        lines.append(f"  --{entry.name:<28} {entry.metadata['about']}{default}")
    options = ", ".join(f"--{entry.name.replace('_', '-')}" for entry in fields(Folders))
    return "\n".join([*lines, "", f"  folders and switches: {options}"])


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> Invocation:
    """Settings and folders from the command line, the hyperparameter file and the environment.

    A setting is spelled `--LEARNING_RATE 1e-4` or `--learning_rate 1e-4`, `--learning_rate=1e-4` works too.

    Raises:
        RefusedError: unknown names, values that do not parse, settings that contradict each other, all at once.
    """
    problems: list[str] = []
    given, options = _command_line(arguments, problems)
    folders = _folders(options, environment, problems)
    texts = {**_hyperparameters(folders.config_dir, "config_dir" in options, problems), **given}
    values: dict[str, Any] = {}
    for entry in fields(Settings):
        if entry.name in texts:
            try:
                values[entry.name] = entry.metadata["parse"](texts[entry.name])
            except ValueError as reason:
                problems.append(f"{entry.name}={texts[entry.name]!r}: {reason}")
        elif entry.default is MISSING:
            problems.append(f"{entry.name} is missing: set it to {entry.metadata['about']}")
    if problems:
        raise RefusedError(problems)
    settings = Settings(**values)
    contradictions = _contradictions(settings, folders, environment)
    if contradictions:
        raise RefusedError(contradictions)
    return Invocation(settings, folders)


def _command_line(arguments: Sequence[str], problems: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Settings by name, and options of `Folders` by field name, both as texts."""
    known, options = set(names()), {entry.name: entry for entry in fields(Folders)}
    given: dict[str, str] = {}
    chosen: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        word, equals, value = rest.pop(0).partition("=")
        name, option = word[2:].upper(), word[2:].replace("-", "_")
        if not word.startswith("--") or (name not in known and option not in options):
            problems.append(f"{word} is no setting of this script (--help lists them)")
            if rest and not rest[0].startswith("--"):
                rest.pop(0)  # its value, which is not a second mistake
            continue
        if option == "tiny":
            chosen[option] = value if equals else "true"
        elif equals or (rest and not rest[0].startswith("--")):
            value = value if equals else rest.pop(0)
            (given if name in known else chosen)[name if name in known else option] = value
        else:
            problems.append(f"{word} needs a value")
    return given, chosen


def _hyperparameters(folder: Path, asked: bool, problems: list[str]) -> dict[str, str]:
    path = folder / "hyperparameters.json"
    if not path.is_file():
        if asked:
            problems.append(f"{path} is not there")
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as reason:
        problems.append(f"{path} is no JSON: {reason}")
        return {}
    if not isinstance(content, dict):
        problems.append(f"{path} must hold a map of names to texts")
        return {}
    known = set(names())
    texts: dict[str, str] = {}
    for name, value in content.items():
        if name.lower().startswith(LAUNCHER_PREFIX):
            continue
        if name not in known:
            problems.append(f"{name} in {path} is no setting of this script (--help lists them)")
        elif not isinstance(value, str):
            problems.append(f"{name} in {path} must be a text, as SageMaker hands values over, not {value!r}")
        else:
            texts[name] = value
    return texts


def _folders(options: Mapping[str, str], environment: Mapping[str, str], problems: list[str]) -> Folders:
    values: dict[str, Any] = {name: Path(environment[key]) for name, key in ENVIRONMENT.items() if key in environment}
    for name, text in options.items():
        try:
            values[name] = _flag(text) if name == "tiny" else _whole(1)(text) if name == "max_updates" else Path(text)
        except ValueError as reason:
            problems.append(f"--{name.replace('_', '-')}={text!r}: {reason}")
    return Folders(**values)


def _contradictions(settings: Settings, folders: Folders, environment: Mapping[str, str]) -> list[str]:
    """Settings that parse but cannot hold together, and launches that cannot do what they ask."""
    found: list[str] = []
    if settings.BF16 and settings.FP16:
        found.append("BF16 and FP16 are both true: compute has one dtype, set one of them")
    if settings.WARMUP_RATIO is not None and settings.WARMUP_STEPS is not None:
        found.append("WARMUP_RATIO and WARMUP_STEPS are both set: set one of them")
    if settings.LOAD_BEST_MODEL_AT_END and (settings.EVAL_STEPS is None or settings.SAVE_STEPS % settings.EVAL_STEPS):
        found.append(
            f"LOAD_BEST_MODEL_AT_END needs every checkpoint evaluated: SAVE_STEPS={settings.SAVE_STEPS} "
            f"must be a multiple of EVAL_STEPS={settings.EVAL_STEPS}"
        )
    if folders.tiny and not config_file(settings, folders).is_file():
        found.append(f"--tiny needs the architecture: no {config_file(settings, folders)}, see --model-config")
    if folders.tiny:
        return found  # a rehearsal overrides the parallelism, see tiny.OVERRIDES
    processes = int(environment.get("WORLD_SIZE", "1"))
    if settings.PARALLELISM in DISTRIBUTED and "RANK" not in environment:
        found.append(f"PARALLELISM={settings.PARALLELISM} runs one process a GPU: launch it with torchrun")
    if settings.PARALLELISM not in DISTRIBUTED and processes > 1:
        found.append(f"PARALLELISM={settings.PARALLELISM} is one process, but {processes} were launched")
    if settings.METHOD == "qlora" and settings.PARALLELISM == "fsdp" and settings.BNB_4BIT_QUANT_STORAGE == "uint8":
        found.append(
            "PARALLELISM=fsdp leaves 4-bit weights stored as uint8 whole on every GPU: "
            "set BNB_4BIT_QUANT_STORAGE to the compute dtype"
        )
    if settings.METHOD == "qlora" and settings.PARALLELISM == "zero3":
        found.append("PARALLELISM=zero3 does not shard 4-bit weights in this script: use fsdp, or METHOD=lora")
    return found


def config_file(settings: Settings, folders: Folders) -> Path:
    """The config.json that names the architecture: `--model-config`, or the one in the model's local folder."""
    return folders.model_config or Path(settings.MODEL_ID) / "config.json"
