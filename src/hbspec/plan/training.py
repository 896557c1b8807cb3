"""Every choice that training needs, made: the author's value, or a default that is listed as an assumption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from hbspec.catalog import Architecture
from hbspec.diagnostics import Route
from hbspec.plan import defaults
from hbspec.plan.defaults import Working
from hbspec.plan.epochs import Epoch
from hbspec.spec import Section, Spec

T = TypeVar("T")

TEMPLATE = "the shipped training script"
TRL = "TRL 1.16 SFTTrainer"
SOFTWARE = {
    "transformers": "5.23.0",
    "trl": "1.16.0",
    "peft": "0.21.2",
    "bitsandbytes": "0.50.2",
    "accelerate": "1.15.0",
}
"""What `templates/requirements.txt` pins (a test holds them equal)."""

SAVE_STEPS = 50
"""Updates between checkpoints of the shipped script."""

ALL_LINEAR = "all-linear"
"""TARGET_MODULES of the shipped script."""

DEFAULT_METHOD = "qlora"
"""METHOD of the shipped script."""

DEFAULT_RANK = 16
"""LORA_R of the shipped script."""

DEFAULT_EPOCHS = 3.0
"""transformers.TrainingArguments.num_train_epochs."""


class Assumption(NamedTuple):
    """A value that the spec leaves open and that memory, time or money depends on.

    `differs`: from what the script would take by itself, so that the compiled job has to write it out.
    """

    route: Route
    value: Any
    source: str
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Training:
    """Resolved hyperparameters and what the trainer makes of them.

    Attributes:
        compute_dtype: "bfloat16", "float16" or "float32".
        adapter_dtype: dtype of adapters, their gradients and (with torch's AdamW) their states. The shipped script
            trains the adapters of a quantised model in bfloat16, as TRL casts them; elsewhere peft keeps float32.
        weights_dtype: dtype of whatever is not quantised. `peft.prepare_model_for_kbit_training`, which belongs to
            QLoRA under a plain Trainer, turns 16-bit ones into float32; TRL 1.16 never calls it. Training all
            weights in float16 needs float32 ones, since the gradient scaler refuses float16 gradients; and what FSDP
            trains in mixed precision accelerate upcasts (1.15.0, `prepare_model`, `fsdp2_prepare_model`).
        autocast: whether the trainer runs the step under torch's autocast, as both do for `bf16` and `fp16`.
        loss: "standard" holds all logits at once; "chunked" and "fused" never do.
    """

    method: str
    trainer: str
    compute_dtype: str
    adapter_dtype: str
    weights_dtype: str
    autocast: bool
    quantization: str | None
    double_quant: bool
    quant_storage: str
    lora_r: int
    lora_alpha: float
    lora_dropout: float
    target_modules: str | tuple[str, ...]
    modules_to_save: tuple[str, ...]
    use_dora: bool
    optim: str
    gradient_checkpointing: bool
    attention: str
    loss: str
    max_length: int
    packing: bool
    micro_batch: int
    gradient_accumulation: int
    max_steps: int | None
    epochs: float
    warmup_steps: int | None
    warmup_ratio: float | None
    eval_steps: int | None
    save_steps: int | None
    software: tuple[tuple[str, str], ...]

    @property
    def adapters(self) -> bool:
        """Whether adapters are trained, and the base is frozen."""
        return self.method != "full"

    def has(self, epoch: Epoch) -> bool:
        """Whether the libraries that train are recent enough to have a change."""
        return epoch.is_in(dict(self.software))


class _Choices:
    """Takes the author's value where there is one and notes the default where there is none."""

    def __init__(self) -> None:
        self.assumptions: list[Assumption] = []

    def take(self, value: T | None, route: Sequence[str], default: T, source: str, works: Working | None = None) -> T:
        if value is not None:
            return value
        chosen: T = works.value if works else default
        self.assumptions.append(
            Assumption(tuple(route), chosen, works.reason if works else source, differs=chosen != default)
        )
        return chosen


LANGUAGE = "the language's default"


def left_open(section: Section, *keys: str) -> list[str]:
    """Those keys of a section that the author left to the language's default."""
    return [key for key in keys if key not in section.model_fields_set]


def resolve_training(
    spec: Spec, architecture: Architecture | None = None, *, bf16: bool | None
) -> tuple[Training, tuple[Assumption, ...]]:
    """The training that a spec describes, and what was assumed for it.

    Args:
        spec: the typed spec.
        architecture: of the model, None where not known: some defaults do not work for every model.
        bf16: whether the GPU computes in bfloat16; None where it is not known.
    """
    chosen, given = _Choices(), spec.hyperparameters

    def take(name: str, default: T, source: str = TEMPLATE, works: Working | None = None) -> T:
        value: T | None = getattr(given, name)
        return chosen.take(value, ("hyperparameters", name), default, source, works)

    usual, reason = ("trl", TEMPLATE) if spec.script is None else ("transformers", "what most own scripts run")
    trainer = chosen.take(spec.software.trainer, ("software", "trainer"), usual, reason)
    trl = trainer == "trl"
    asked = given.bnb_quant_type is not None or given.bnb_double_quant is not None
    method = take("method", DEFAULT_METHOD, works=defaults.method(spec.instance.parallelism, quantised=asked))
    adapters, quantised = method != "full", method == "qlora"
    chosen.assumptions += [
        Assumption(("hyperparameters", key), getattr(given, key), LANGUAGE)
        for key in left_open(given, "gradient_accumulation_steps")
    ]
    if given.bf16 is None and given.fp16 is None:
        compute = "float16" if bf16 is False else "bfloat16"
        why = "the GPU has no bfloat16" if bf16 is False else TEMPLATE
        chosen.assumptions.append(Assumption(("hyperparameters", "fp16" if bf16 is False else "bf16"), True, why))
    else:
        compute = "bfloat16" if given.bf16 else "float16" if given.fp16 else "float32"
    if given.max_steps is None and given.num_train_epochs is None:
        chosen.assumptions.append(
            Assumption(("hyperparameters", "num_train_epochs"), DEFAULT_EPOCHS, "transformers.TrainingArguments")
        )
    versions = [
        (name, chosen.take(getattr(spec.software, name), ("software", name), version, "templates/requirements.txt"))
        for name, version in SOFTWARE.items()
    ]
    transformers = dict(versions)["transformers"]
    saves = defaults.save_steps(SAVE_STEPS, given.eval_steps, keeps_best=bool(given.load_best_model_at_end))
    software = spec.software
    usual_adapters = "bfloat16" if trl and quantised and compute == "bfloat16" else "float32"
    autocast = software.autocast if software.autocast is not None else compute != "float32" and trainer != "loop"
    sharded = spec.instance.parallelism == "fsdp" and spec.instance.sharding != "none"
    master = not adapters and (compute == "float16" or (sharded and autocast))
    usual_weights = "float32" if (quantised and not trl) or master else compute
    quantization = take("bnb_quant_type", "nf4") if quantised else None
    stored = defaults.quant_storage(spec.instance.parallelism, quantization, compute)
    undropped = defaults.dropout(architecture, given.target_modules or ALL_LINEAR)
    training = Training(
        method=method,
        trainer=trainer,
        compute_dtype=compute,
        adapter_dtype=software.adapter_dtype or usual_adapters,
        weights_dtype=software.weights_dtype or usual_weights,
        autocast=autocast,
        quantization=quantization,
        double_quant=take("bnb_double_quant", True) if quantised else False,
        quant_storage=take("bnb_4bit_quant_storage", "uint8", works=stored) if quantised else "uint8",
        lora_r=take("lora_r", DEFAULT_RANK) if adapters else 0,
        lora_alpha=take("lora_alpha", 32.0) if adapters else 0.0,
        lora_dropout=take("lora_dropout", 0.05, works=undropped) if adapters else 0.0,
        target_modules=take("target_modules", ALL_LINEAR) if adapters else (),
        modules_to_save=given.modules_to_save or (),
        use_dora=bool(given.use_dora),
        optim=take("optim", "adamw_torch"),
        gradient_checkpointing=take("gradient_checkpointing", True),
        attention=take("attn_implementation", "sdpa", works=defaults.attention(architecture, transformers)),
        loss=take("loss", "fused", TRL) if trl else take("loss", "standard", "transformers.Trainer"),
        max_length=given.max_length,
        packing=bool(given.packing),
        micro_batch=given.per_device_batch_size,
        gradient_accumulation=given.gradient_accumulation_steps,
        max_steps=given.max_steps,
        epochs=given.num_train_epochs if given.num_train_epochs is not None else DEFAULT_EPOCHS,
        warmup_steps=given.warmup_steps,
        warmup_ratio=given.warmup_ratio,
        eval_steps=given.eval_steps,
        save_steps=take("save_steps", SAVE_STEPS, works=saves) if spec.script is None else given.save_steps,
        software=tuple(versions),
    )
    return training, tuple(chosen.assumptions)
