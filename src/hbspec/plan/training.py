"""Every choice of the training: the author's value, or a default that is listed as an assumption."""

from __future__ import annotations

from typing import Any, NamedTuple

from hbspec.catalog import Architecture
from hbspec.plan import defaults
from hbspec.plan.assumptions import Assumption, Choices
from hbspec.plan.defaults import Working
from hbspec.plan.epochs import Epoch
from hbspec.plan.shipped_script import DEFAULTS, SOFTWARE, TEMPLATE
from hbspec.spec import Spec

TRL = "TRL 1.16 SFTTrainer"


class Training(NamedTuple):
    """Resolved hyperparameters and their effects in the trainer.

    Attributes:
        compute_dtype: "bfloat16", "float16" or "float32".
        adapter_dtype: dtype of adapters, their gradients and (with torch's AdamW) their optimizer states. The shipped
            script trains adapters of a quantised model in bfloat16, as TRL casts them; elsewhere peft keeps float32.
        weights_dtype: dtype of unquantised weights. `peft.prepare_model_for_kbit_training`, which belongs to QLoRA
            under a plain Trainer, converts 16-bit weights to float32; TRL 1.16 never calls it. Training all weights in
            float16 needs float32 weights, since the gradient scaler refuses float16 gradients; and accelerate upcasts
            weights that FSDP trains in mixed precision (1.15.0, `prepare_model`, `fsdp2_prepare_model`).
        autocast: whether the trainer runs the step under torch's autocast, as TRL and the plain Trainer do for `bf16`
            and `fp16`.
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
        """Whether adapters are trained and the base model is frozen."""
        return self.method != "full"

    def has(self, epoch: Epoch) -> bool:
        """Whether the libraries that train are recent enough to have a change."""
        return epoch.is_in(dict(self.software))


def resolve_training(
    spec: Spec, architecture: Architecture | None = None, *, bf16: bool | None
) -> tuple[Training, tuple[Assumption, ...]]:
    """The training that a spec describes, and the assumptions made for it.

    Args:
        spec: the typed spec.
        architecture: the architecture of the model, None where not known: some defaults do not work for every model.
        bf16: whether the GPU computes in bfloat16; None where not known.
    """
    resolution = _Resolution(spec, architecture)
    return resolution.training(bf16), tuple(resolution.choices.assumptions)


class _Resolution:
    """Resolves one spec. Every method notes what it assumes, so their order is that of the list."""

    def __init__(self, spec: Spec, architecture: Architecture | None) -> None:
        self.spec, self.given, self.architecture = spec, spec.hyperparameters, architecture
        self.choices = Choices()

    def take(self, name: str, works: Working | None = None, default: Any = None, source: str = TEMPLATE) -> Any:
        """The author's hyperparameter, or `default`, which is the shipped script's own unless it is given."""
        usual = DEFAULTS[name] if default is None else default
        return self.choices.take(getattr(self.given, name), ("hyperparameters", name), usual, source, works)

    def training(self, bf16: bool | None) -> Training:
        """Everything, resolved."""
        given, trainer, method = self.given, self.trainer(), self.method()
        adapters, quantised = method != "full", method == "qlora"
        self.choices.note_language_defaults(given, ("hyperparameters",), "gradient_accumulation_steps")
        compute = self.compute_dtype(bf16)
        epochs = self.epochs()
        software = self.software()
        quantization = self.take("bnb_quant_type") if quantised else None
        return Training(
            method=method,
            trainer=trainer,
            **self.dtypes(trainer, method, compute),
            quantization=quantization,
            double_quant=self.take("bnb_double_quant") if quantised else False,
            quant_storage=self.quant_storage(quantization, compute),
            lora_r=self.take("lora_r") if adapters else 0,
            lora_alpha=self.take("lora_alpha") if adapters else 0.0,
            lora_dropout=self.dropout() if adapters else 0.0,
            target_modules=self.take("target_modules") if adapters else (),
            modules_to_save=given.modules_to_save or (),
            use_dora=bool(given.use_dora),
            optim=self.take("optim"),
            gradient_checkpointing=self.take("gradient_checkpointing"),
            attention=self.attention(software["transformers"]),
            loss=self.loss(trainer),
            max_length=given.max_length,
            packing=bool(given.packing),
            micro_batch=given.per_device_batch_size,
            gradient_accumulation=given.gradient_accumulation_steps,
            max_steps=given.max_steps,
            epochs=epochs,
            warmup_steps=given.warmup_steps,
            warmup_ratio=given.warmup_ratio,
            eval_steps=given.eval_steps,
            save_steps=self.save_steps(),
            software=tuple(software.items()),
        )

    def trainer(self) -> str:
        """Who runs the steps."""
        usual = ("trl", TEMPLATE) if self.spec.script is None else ("transformers", "what most own scripts run")
        return self.choices.take(self.spec.software.trainer, ("software", "trainer"), *usual)

    def method(self) -> str:
        """QLoRA unless it does not work: options of quantisation ask for it by name."""
        asked = self.given.bnb_quant_type is not None or self.given.bnb_double_quant is not None
        method: str = self.take("method", defaults.method(self.spec.instance.parallelism, quantised=asked))
        return method

    def compute_dtype(self, bf16: bool | None) -> str:
        """What matrix products are computed in."""
        given = self.given
        if given.bf16 is not None or given.fp16 is not None:
            return "bfloat16" if given.bf16 else "float16" if given.fp16 else "float32"
        if bf16 is False:
            self.choices.note(("hyperparameters", "fp16"), True, "the GPU has no bfloat16")
            return "float16"
        self.choices.note(("hyperparameters", "bf16"), True, TEMPLATE)
        return "bfloat16"

    def epochs(self) -> float:
        """Passes over the data, where `max_steps` does not say how long to train."""
        if self.given.num_train_epochs is not None:
            return self.given.num_train_epochs
        usual: float = DEFAULTS["num_train_epochs"]
        if self.given.max_steps is None:
            self.choices.note(("hyperparameters", "num_train_epochs"), usual, "transformers.TrainingArguments")
        return usual

    def software(self) -> dict[str, str]:
        """Versions by package."""
        named, source = self.spec.software, "templates/requirements.txt"
        return {
            name: self.choices.take(getattr(named, name), ("software", name), version, source)
            for name, version in SOFTWARE.items()
        }

    def dtypes(self, trainer: str, method: str, compute: str) -> dict[str, Any]:
        """The dtypes of a training, and whether its steps run under autocast; see `Training`."""
        software, instance = self.spec.software, self.spec.instance
        trl, quantised = trainer == "trl", method == "qlora"
        adapter = "bfloat16" if trl and quantised and compute == "bfloat16" else "float32"
        autocast = software.autocast if software.autocast is not None else compute != "float32" and trainer != "loop"
        sharded = instance.parallelism == "fsdp" and instance.sharding != "none"
        master = method == "full" and (compute == "float16" or (sharded and autocast))
        weights = "float32" if (quantised and not trl) or master else compute
        return {
            "compute_dtype": compute,
            "adapter_dtype": software.adapter_dtype or adapter,
            "weights_dtype": software.weights_dtype or weights,
            "autocast": autocast,
        }

    def quant_storage(self, quantization: str | None, compute: str) -> str:
        """The dtype that quantised weights are stored in."""
        if quantization is None:
            return str(DEFAULTS["bnb_4bit_quant_storage"])
        works = defaults.quant_storage(self.spec.instance.parallelism, quantization, compute)
        return str(self.take("bnb_4bit_quant_storage", works))

    def dropout(self) -> float:
        """Before adapters."""
        targets = self.given.target_modules or DEFAULTS["target_modules"]
        return float(self.take("lora_dropout", defaults.dropout(self.architecture, targets)))

    def attention(self, transformers: str) -> str:
        """The attention kernel."""
        return str(self.take("attn_implementation", defaults.attention(self.architecture, transformers)))

    def loss(self, trainer: str) -> str:
        """How logits are held."""
        if trainer == "trl":
            return str(self.take("loss", source=TRL))
        return str(self.take("loss", default="standard", source="transformers.Trainer"))

    def save_steps(self) -> int | None:
        """Updates between checkpoints; None where only the author's script knows."""
        given = self.given
        if self.spec.script is not None:
            return given.save_steps
        keeps_best = bool(given.load_best_model_at_end)
        works = defaults.save_steps(DEFAULTS["save_steps"], given.eval_steps, keeps_best=keeps_best)
        return int(self.take("save_steps", works))
