"""Resolves the choices of the training: the author's value of each, or a default that is listed as an assumption."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.catalog import Architecture
from hbspec.catalog.roles import TargetError
from hbspec.plan import defaults
from hbspec.plan.assumptions import Assumption
from hbspec.plan.cadence import evaluations, saves
from hbspec.plan.epochs import (
    LOSS_CHUNKED,
    LOSS_FUSED,
    NON_REENTRANT,
    TRL_NON_REENTRANT,
    ZERO3_REENTRANT,
    packing_strategies,
    release,
)
from hbspec.plan.objective import resolve_objective
from hbspec.plan.parallelism import PARALLELISMS, Engine
from hbspec.plan.resolution import DERIVED_FROM_TRL, RUN_BY
from hbspec.plan.shipped_script import DEFAULTS, SOFTWARE, TEMPLATE
from hbspec.plan.stored_dtypes import StoredDtypes
from hbspec.plan.targets import PEFT_S_CHOICE, resolved_targets
from hbspec.plan.training import Training
from hbspec.spec import Spec
from hbspec.spec.trained import UNLIMITED

LITGPT = "litgpt/finetune/lora.py"
"""Who chooses where LitGPT trains."""

NO_ADAPTERS = {
    "lora_r": 0,
    "lora_alpha": 0.0,
    "lora_dropout": 0.0,
    "target_modules": (),
    "target_layers": (),
    "untargeted": "",
}

LONGEST = 10**8
"""Tokens that `max_length` may be, for a run that cuts nothing and a model whose positions are not known."""


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


class _Resolution(StoredDtypes):
    """Resolves one spec. Every method notes what it assumes, so their order is that of the list."""

    def training(self, bf16: bool | None) -> Training:
        """Everything, resolved."""
        given, trainer, method = self.given, self.trainer(), self.method()
        self.theirs = self.defaults_of(method)
        adapters, quantised, way = method != "full", method == "qlora", PARALLELISMS[self.spec.instance.parallelism]
        self.choices.note_language_defaults(given, ("hyperparameters",), "gradient_accumulation_steps")
        compute, epochs, software = self.compute_dtype(bf16), self.epochs(), self.software()
        quantization = self.take("bnb_quant_type") if quantised else None
        return Training(
            method=method,
            trainer=trainer,
            **self.dtypes(trainer, method, compute),
            quantization=quantization,
            double_quant=self.take("bnb_double_quant") if quantised else False,
            quantize_experts=quantised and bool(given.quantize_experts),
            balances=bool(given.output_router_logits),
            quant_storage=self.quant_storage(quantization, compute),
            **(self.low_rank(software["transformers"]) if adapters else NO_ADAPTERS),
            modules_to_save=self.saved_modules(adapters),
            use_dora=bool(given.use_dora),
            optim=self.take("optim"),
            **self.checkpointing(trainer, method, software),
            attention=self.attention(software["transformers"]),
            loss=self.loss(trainer, software),
            liger=bool(given.liger),
            activation_offloading=bool(given.activation_offloading),
            **self.cap(),
            **self.packing(trainer, software["trl"]),
            micro_batch=given.per_device_batch_size,
            gradient_accumulation=given.gradient_accumulation_steps,
            sync_each_batch=self.sync_each_batch(trainer),
            max_steps=given.max_steps,
            epochs=epochs,
            warmup_steps=given.warmup_steps,
            warmup_ratio=given.warmup_ratio,
            **evaluations(self, trainer),
            **saves(self),
            optimizer_in_bwd=bool(given.optimizer_in_bwd) and way.engine is not Engine.DEEPSPEED,
            framework=self.framework,
            software=tuple(software.items()),
            objective=resolve_objective(self.spec, self.choices, adapters=adapters, loaded=self.loaded(compute)),
        )

    def trainer(self) -> str:
        """Who runs the steps."""
        if not self.task.next_token:
            usual = ("trl", f"TRL's {self.task.trainer} trains task {self.spec.task}")
            return (
                "trl"
                if self.framework in DERIVED_FROM_TRL
                else self.choices.take(self.spec.software.trainer, ("software", "trainer"), *usual)
            )
        if self.framework is not None:
            return RUN_BY[self.framework]
        usual = ("trl", TEMPLATE) if self.spec.shipped else ("transformers", "what most own scripts run")
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
        theirs = self.theirs.get("hyperparameters.bf16")
        if theirs is not None and not theirs.value:
            self.choices.note(("hyperparameters", "bf16"), False, theirs.source)
            return "float32"
        if bf16 is False:
            self.choices.note(("hyperparameters", "fp16"), True, "the GPU has no bfloat16")
            return "float16"
        self.choices.note(("hyperparameters", "bf16"), True, TEMPLATE)
        return "bfloat16"

    def epochs(self) -> float:
        """Passes over the data, where `max_steps` does not say how long to train."""
        if self.given.num_train_epochs is not None:
            return self.given.num_train_epochs
        if self.given.max_steps is not None:
            return float(DEFAULTS["num_train_epochs"])
        return float(self.take("num_train_epochs", source="transformers.TrainingArguments"))

    def software(self) -> dict[str, str]:
        """Versions by package."""
        usual, source = dict(SOFTWARE), dict.fromkeys(SOFTWARE, "templates/requirements.txt")
        for name in usual if self.framework is not None else ():
            unknown = usual[name], f"not known of {self.framework}; as in {source[name]}"
            usual[name], source[name] = self.theirs.get(f"software.{name}", unknown)
        return {
            name: self.choices.take(getattr(self.spec.software, name), ("software", name), version, source[name])
            for name, version in usual.items()
        }

    def cap(self) -> dict[str, Any]:
        """The longest row: the cap, or without one what the model has positions for (with known lengths, less)."""
        given = self.given.max_length
        if given != UNLIMITED:
            return {"max_length": given, "capped": True}
        positions = self.architecture.max_position_embeddings if self.architecture is not None else LONGEST
        return {"max_length": positions, "capped": False}

    def checkpointing(self, trainer: str, method: str, software: Mapping[str, str]) -> dict[str, Any]:
        """Whether layers are computed again, and how. The shipped script's FSDP and LitGPT's are never reentrant."""
        way, shipped = PARALLELISMS[self.spec.instance.parallelism], self.spec.shipped
        if trainer == "litgpt":  # which recomputes under FSDP only
            sharded = self.take("gradient_checkpointing", default=way.engine is Engine.FSDP, source=LITGPT)
            return {"gradient_checkpointing": bool(sharded), "use_reentrant": False}
        recomputes = bool(self.take("gradient_checkpointing"))
        if not recomputes or (way.engine is Engine.FSDP and shipped):
            return {"gradient_checkpointing": recomputes, "use_reentrant": False}
        trl = trainer == "trl"
        zero3 = way.engine is Engine.DEEPSPEED and way.shards_weights
        if trl and zero3 and method != "full" and ZERO3_REENTRANT.is_in(software):
            if self.given.use_reentrant is None:
                source = f"{_sft_trainer(software['trl'])}, for adapters under ZeRO-3"
                self.choices.note(("hyperparameters", "use_reentrant"), True, source)
            return {"gradient_checkpointing": True, "use_reentrant": True}
        newer = NON_REENTRANT.is_in(software) or (trl and TRL_NON_REENTRANT.is_in(software))
        package = "trl" if trl and TRL_NON_REENTRANT.is_in(software) else "transformers"
        source = f"{package} {software[package]}"
        return {"gradient_checkpointing": True, "use_reentrant": self.take("use_reentrant", None, not newer, source)}

    def quant_storage(self, quantization: str | None, compute: str) -> str:
        """The dtype that quantised weights are stored in."""
        if quantization is None:
            return str(DEFAULTS["bnb_4bit_quant_storage"])
        works = defaults.quant_storage(self.spec.instance.parallelism, quantization, compute)
        return str(self.take("bnb_4bit_quant_storage", works))

    def dropout(self, transformers: str) -> float:
        """Before adapters."""
        theirs = self.theirs.get("hyperparameters.target_modules")
        targets = self.given.target_modules or (theirs.value if theirs is not None else DEFAULTS["target_modules"])
        chosen = float(self.take("lora_dropout", defaults.dropout(self.architecture, targets, transformers)))
        return 0.0 if self.task.undropped else chosen

    def low_rank(self, transformers: str) -> dict[str, Any]:
        """The sizes of adapters, and what gets them."""
        sizes = {"lora_r": self.take("lora_r"), "lora_alpha": self.take("lora_alpha")}
        return {**sizes, "lora_dropout": self.dropout(transformers), **self.targets()}

    def targets(self) -> dict[str, Any]:
        """The modules that get adapters, by their names, and the layers."""
        layers = self.given.layers_to_transform or ()
        asked = self.take("target_modules", defaults.targets(self.architecture, layers=bool(layers)))
        try:
            found = resolved_targets(self.architecture, asked, layers)
        except TargetError as reason:
            return {"target_modules": asked, "target_layers": (), "untargeted": str(reason)}
        if asked == PEFT_S_CHOICE and self.architecture is not None:
            self.choices.note(("hyperparameters", "target_modules"), found.modules, "peft's choice for the model")
        return {"target_modules": found.modules, "target_layers": found.layers, "untargeted": ""}

    def saved_modules(self, adapters: bool) -> tuple[str, ...]:
        """Modules that are trained whole beside adapters: where tokens are added, the embedding and the head."""
        said = self.given.modules_to_save
        if said is not None or not adapters or self.spec.model.added_tokens is None:
            return said or ()
        names = ("embed_tokens", "lm_head")
        chosen = tuple(self.architecture.family.name(name) if self.architecture else name for name in names)
        self.choices.note(("hyperparameters", "modules_to_save"), chosen, "model.added_tokens are new")
        return chosen

    def attention(self, transformers: str) -> str:
        """The attention kernel."""
        return str(self.take("attn_implementation", defaults.attention(self.architecture, transformers)))

    def loss(self, trainer: str, software: Mapping[str, str]) -> str:
        """How logits are held; a head that rewards has none, and TRL's other objectives leave no choice."""
        if not self.task.next_token:
            fused = LOSS_FUSED.is_in(software) and self.spec.task != "reward"
            return "fused" if fused else "standard"
        if trainer != "trl":
            usual = "fused" if self.given.liger and trainer == "transformers" else "standard"
            source = LITGPT if trainer == "litgpt" else "transformers.Trainer"
            return str(self.take("loss", default=usual, source=source))
        usual = "fused" if LOSS_FUSED.is_in(software) else "chunked" if LOSS_CHUNKED.is_in(software) else "standard"
        return str(self.take("loss", default=usual, source=_sft_trainer(software["trl"])))

    def sync_each_batch(self, trainer: str) -> bool:
        """When gradients are reduced, which matters to FSDP's memory and to the ranks' communication."""
        accumulates = self.given.gradient_accumulation_steps > 1
        if trainer != "loop" or not accumulates or self.spec.instance.parallelism != "fsdp":
            return bool(self.given.sync_each_batch)
        return bool(self.take("sync_each_batch", default=True, source="a loop that does not call no_sync"))

    def packing(self, trainer: str, trl: str) -> dict[str, Any]:
        """Whether rows are packed, which only tokens can be, and how TRL packs."""
        strategies, packs = packing_strategies(trl), bool(self.given.packing) and self.task.next_token
        if packs and "hyperparameters.packing_strategy" in self.theirs:
            return {"packing": packs, "packing_strategy": str(self.take("packing_strategy"))}
        if not packs or trainer != "trl" or not strategies:
            return {"packing": packs, "packing_strategy": None}
        taken = self.take("packing_strategy", default=strategies[0], source=_sft_trainer(trl))
        return {"packing": packs, "packing_strategy": str(taken)}


def _sft_trainer(trl: str) -> str:
    return f"TRL {'.'.join(map(str, release(trl) or (trl,)))} SFTTrainer"
