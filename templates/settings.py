"""The settings of the training job: one table of names, types, defaults and meanings.

Nothing here imports more than the standard library, so that other programs can read the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

import parsers
from learned import BY_BATCH, BY_BEST, BY_CONTENT, BY_EPOCHS, BY_LAYOUT, BY_LENGTH, NO, YES, Learned
from tasks import ALL_TYPES, LOSS_TYPES, TASKS, Task

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

ATTENTION = ("eager", "sdpa", "flash_attention_2", "flex_attention")
"""Attention kernels that need nothing beyond requirements.txt and the image."""

LOSSES = ("standard", "chunked", "fused")

BELOW_ONE = parsers.number("from 0 to below 1", lambda x: 0 <= x < 1)

DISTRIBUTED = ("ddp", "fsdp", "zero1", "zero2", "zero3")


class RefusedError(ValueError):
    """What was handed over cannot be used; `problems` says why, one line each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def _setting(default: Any, parse: Callable[[str], Any], about: str, learned: Learned = YES) -> Any:
    return field(default=default, metadata={"parse": parse, "about": about, "learned": learned})


def _one_of(default: str | None, allowed: Sequence[str], about: str, learned: Learned = YES) -> Any:
    return _setting(default, parsers.choice(*allowed), f"{about}: {', '.join(allowed)}", learned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting. The fields are the single source of names, types, defaults, meanings and of what they decide.

    A setting that does not say otherwise changes what is learned (`Learned`).

    None means "not set": the trainer then does what the meaning says.
    """

    MODEL_ID: str = _setting(MISSING, parsers.text, "Hugging Face id or local folder of the base model (required)")
    REVISION: str | None = _setting(None, parsers.text, "branch, tag or commit of the weights")
    ADAPTER: str | None = _setting(
        None, parsers.text, "adapters that training goes on from: an id of the Hub, or a local folder; else new ones"
    )
    ADAPTER_REVISION: str | None = _setting(None, parsers.text, "branch, tag or commit of ADAPTER on the Hub", NO)
    METHOD: str = _one_of("qlora", ("qlora", "lora", "full"), "what is trained")
    LEARNING_RATE: float = _setting(
        2e-5, parsers.number("above 0, at most 1", lambda x: 0 < x <= 1), "peak learning rate"
    )
    MAX_STEPS: int | None = _setting(None, parsers.whole(1), "optimizer updates; beats NUM_TRAIN_EPOCHS", BY_LENGTH)
    NUM_TRAIN_EPOCHS: float | None = _setting(
        None,
        parsers.number("above 0", lambda x: 0 < x < 1e6),
        "passes over the data; 3 if MAX_STEPS is not set either",
        BY_EPOCHS,
    )
    PER_DEVICE_BATCH_SIZE: int = _setting(1, parsers.whole(1), "micro-batch: rows a process takes at once", BY_BATCH)
    PER_DEVICE_EVAL_BATCH_SIZE: int | None = _setting(
        None, parsers.whole(1), "the same in an evaluation; PER_DEVICE_BATCH_SIZE if not set", NO
    )
    GRADIENT_ACCUMULATION_STEPS: int = _setting(1, parsers.whole(1), "micro-batches of an update", BY_BATCH)
    SYNC_EACH_BATCH: bool = _setting(
        False, parsers.flag, "ranks add up gradients after every micro-batch, not once an update", NO
    )
    MAX_LENGTH: int | None = _setting(1024, parsers.cap, "tokens after which an example is cut; none cuts none")
    PACKING: bool = _setting(False, parsers.flag, "fill every row with several examples")
    PACKING_STRATEGY: str = _one_of("bfd", ("bfd", "bfd_split", "wrapped"), "how rows are filled")
    LORA_R: int = _setting(16, parsers.whole(1), "adapter rank")
    LORA_ALPHA: float = _setting(32.0, parsers.number("above 0", lambda x: 0 < x < 1e9), "adapter scale")
    LORA_DROPOUT: float = _setting(0.05, BELOW_ONE, "dropout before adapters")
    TARGET_MODULES: str | tuple[str, ...] = _setting(
        "all-linear", parsers.targets, "modules that get adapters; default is peft's choice"
    )
    LAYERS_TO_TRANSFORM: tuple[int, ...] = _setting((), parsers.layers, "indices of the layers that get adapters")
    MODULES_TO_SAVE: tuple[str, ...] = _setting(
        (), parsers.names, "modules trained and saved whole beside the adapters"
    )
    USE_RSLORA: bool = _setting(False, parsers.flag, "scale adapters by the root of the rank")
    USE_DORA: bool = _setting(False, parsers.flag, "weight-decomposed adapters")
    BNB_QUANT_TYPE: str = _one_of("nf4", ("nf4", "fp4", "int8"), "quantised storage of the base (qlora)")
    BNB_DOUBLE_QUANT: bool = _setting(True, parsers.flag, "quantise the scales too (qlora)")
    BNB_4BIT_QUANT_STORAGE: str = _one_of(
        "uint8", ("uint8", "bfloat16", "float16", "float32"), "storage dtype of 4-bit weights (qlora)", NO
    )
    BF16: bool | None = _setting(
        None, parsers.flag, "compute in bfloat16; what the GPU can do if FP16 is not set either"
    )
    FP16: bool | None = _setting(None, parsers.flag, "compute in float16")
    GRADIENT_CHECKPOINTING: bool = _setting(True, parsers.flag, "recompute activations in the backward pass", NO)
    USE_REENTRANT: bool | None = _setting(
        None, parsers.flag, "recompute whole layers; true for adapters under zero3 if not set, else false", NO
    )
    ACTIVATION_OFFLOADING: bool = _setting(False, parsers.flag, "keep what the backward pass needs in host memory", NO)
    ATTN_IMPLEMENTATION: str = _one_of("sdpa", ATTENTION, "attention kernel")
    LOSS: str = _one_of("fused", LOSSES, "all logits at once, or in tiles (chunked is fused in TRL 1.16)")
    LIGER: bool = _setting(False, parsers.flag, "run Liger's kernels for norms, rotations and MLPs", NO)
    OPTIM: str = _one_of("adamw_torch", OPTIMIZERS, "optimizer")
    LR_SCHEDULER_TYPE: str = _one_of("linear", SCHEDULERS, "learning-rate schedule")
    WARMUP_RATIO: float | None = _setting(None, BELOW_ONE, "share of the updates that warm up")
    WARMUP_STEPS: float | None = _setting(None, parsers.updates(0), "updates that warm up; below 1 their share")
    LR_SCHEDULER_KWARGS: Mapping[str, Any] | None = _setting(None, parsers.arguments, "the schedule's, as JSON")
    ADAM_BETA1: float = _setting(0.9, BELOW_ONE, "first decay of Adam")
    ADAM_BETA2: float = _setting(0.999, BELOW_ONE, "second decay of Adam")
    ADAM_EPSILON: float = _setting(1e-8, parsers.number("above 0", lambda x: 0 < x <= 1), "Adam's epsilon")
    WEIGHT_DECAY: float = _setting(0.0, parsers.number("0 or more", lambda x: 0 <= x < 1e3), "weight decay")
    MAX_GRAD_NORM: float = _setting(
        1.0, parsers.number("0 or more", lambda x: 0 <= x < 1e9), "gradients are clipped to this"
    )
    EVAL_STEPS: float | None = _setting(
        None, parsers.updates(1), "updates between evaluations, below 1 a share; once at the end if not set", BY_BEST
    )
    SAVE_STEPS: float = _setting(
        50, parsers.updates(1), "updates between checkpoints, below 1 a share; one more at the end", BY_BEST
    )
    EVALS_PER_EPOCH: int | None = _setting(None, parsers.whole(1), "evaluations of an epoch; beats EVAL_STEPS", BY_BEST)
    SAVES_PER_EPOCH: int | None = _setting(None, parsers.whole(1), "checkpoints of an epoch; beats SAVE_STEPS", BY_BEST)
    SAVE_TOTAL_LIMIT: int = _setting(3, parsers.whole(1), "checkpoints kept", NO)
    LOAD_BEST_MODEL_AT_END: bool = _setting(False, parsers.flag, "keep the checkpoint with the lowest evaluation loss")
    LOGGING_STEPS: float = _setting(1, parsers.updates(1), "updates between metric lines, below 1 a share", NO)
    WATCH_LOSS: int | None = _setting(None, parsers.whole(2), "updates over which the loss must decrease", NO)
    WATCH_GPU_MEMORY: int | None = _setting(None, parsers.whole(1), "bytes in use on a GPU that end the run", NO)
    WATCH_STEP_MIN: float | None = _setting(
        None, parsers.number("0 or more", lambda x: 0 <= x < 1e9), "seconds of an update, below which the run ends", NO
    )
    WATCH_STEP_MAX: float | None = _setting(
        None, parsers.number("above 0", lambda x: 0 < x < 1e9), "seconds of an update, above which the run ends", NO
    )
    WATCH_GRAD_NORM: float | None = _setting(
        None, parsers.number("above 0", lambda x: 0 < x < 1e13), "norm before clipping, above which the run ends", NO
    )
    SEED: int = _setting(42, parsers.whole(0), "seed of weights, adapters and data order")
    PARALLELISM: str = _one_of(
        "single",
        ("single", "pipeline", *DISTRIBUTED),
        "one process (pipeline: layers over all GPUs) or one a GPU",
        BY_LAYOUT,
    )
    FSDP_VERSION: str = _one_of("2", ("1", "2"), "which FSDP (fsdp)", BY_LAYOUT)
    RESHARD_AFTER_FORWARD: bool = _setting(True, parsers.flag, "free weights between forward and backward (fsdp)", NO)
    DEEPSPEED: str | None = _setting(
        None, parsers.text, "DeepSpeed's JSON, a file beside this script (zero)", BY_CONTENT
    )
    CHAT_TEMPLATE: str | None = _setting(
        None,
        parsers.text,
        "chat template in Jinja, a file beside this script; the tokenizer's own if not set",
        BY_CONTENT,
    )
    DATA_TYPE: str = _one_of("language_modeling", ALL_TYPES, "dataset type of TRL's")
    DATA_FORMAT: str = _one_of("messages", ("messages", "standard"), "lists of {role, content}, or plain texts")
    DATA_COLUMNS: Mapping[str, str] | None = _setting(
        None, parsers.columns, 'the data\'s columns by the type\'s, as JSON: {"prompt": "question"}'
    )
    DATA_WEIGHTS: Mapping[str, float] | None = _setting(
        None, parsers.weights, 'how often files or folders/ are in an epoch, as JSON: {"a.jsonl": 0.5}'
    )
    VALIDATION_SHARE: float | None = _setting(
        None, parsers.number("above 0, below 1", lambda x: 0 < x < 1), "share of the training data held out to evaluate"
    )
    TASK: str = _one_of("sft", tuple(TASKS), "what is trained for, by TRL's trainers")
    BETA: float | None = _setting(
        None,
        parsers.number("0 or more", lambda x: 0 <= x < 1e3),
        "weight of the distance from the reference (dpo, kto: 0.1 if not set; grpo: 0)",
    )
    LOSS_TYPE: str | None = _one_of(None, LOSS_TYPES, "loss (dpo, kto, grpo); the first of the task if not set")
    PRECOMPUTE_REF_LOG_PROBS: bool = _setting(
        False, parsers.flag, "score all data with the reference before training (dpo, kto)", NO
    )
    NUM_GENERATIONS: int = _setting(8, parsers.whole(2), "completions of a prompt (grpo)")
    MAX_COMPLETION_LENGTH: int = _setting(512, parsers.whole(1), "tokens after which a completion is cut (grpo)")
    TEMPERATURE: float = _setting(
        1.0, parsers.number("above 0", lambda x: 0 < x < 1e3), "temperature of the completions (grpo)"
    )
    NUM_ITERATIONS: int = _setting(1, parsers.whole(1), "times that completions are trained on (grpo)")
    STEPS_PER_GENERATION: int | None = _setting(
        None, parsers.whole(1), "micro-batches generated at once (grpo); GRADIENT_ACCUMULATION_STEPS if not set"
    )
    REWARD_FUNCTIONS: tuple[str, ...] = _setting(
        (), parsers.functions, "file.py:name, comma separated: functions in files beside this script (grpo)"
    )

    @property
    def task(self) -> Task:
        """What is trained for."""
        return TASKS[self.TASK]

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
    base_dir: Path | None = None
    adapter_dir: Path | None = None
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
    def base_folder(self) -> Path:
        """Where the base model lies, if on this machine: `--base-dir`, or the local folder that MODEL_ID may be."""
        return self.folders.base_dir or Path(self.settings.MODEL_ID)

    @property
    def config_file(self) -> Path:
        """The config.json that names the architecture: `--model-config`, or the one in the model's local folder."""
        return self.folders.model_config or self.base_folder / "config.json"

    @property
    def base_folders(self) -> tuple[Path, ...]:
        """The folders of base models on this machine: a local one, and a rehearsal's own."""
        local = self.base_folder
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
