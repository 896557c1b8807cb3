"""What the trainer is given: the model in its dtype and place, the adapters, and the trainer's arguments.

Dtypes follow TRL 1.16 on top of peft and bitsandbytes: 16-bit weights are loaded in the compute dtype and stay there
(TRL casts neither embeddings, head nor norms of a quantised model to float32, unlike peft's
`prepare_model_for_kbit_training`); adapters on a quantised model become bfloat16, on any other they are float32.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from base_model import Base
from peft import LoraConfig
from settings import DISTRIBUTED, Invocation, Settings
from task_arguments import config_of, task_arguments
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, BitsAndBytesConfig, set_seed

HEAD = "score"
"""The new head of a reward model, which is trained and saved whole beside adapters, as `RewardTrainer` advises."""


def compute_dtype(settings: Settings) -> torch.dtype:
    """The dtype of matrix products: as set, float32 where only refusals are set, else the best that the GPU has."""
    if settings.BF16:
        return torch.bfloat16
    if settings.FP16:
        return torch.float16
    if settings.BF16 is not None or settings.FP16 is not None or not torch.cuda.is_available():
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def load_model(base: Base, settings: Settings, compute: torch.dtype, local_rank: int) -> Any:
    """The base model, quantised for qlora, on the device (or over the devices) that the parallelism asks for.

    float16 needs float32 masters where all weights are trained: the gradient scaler refuses float16 gradients.
    """
    masters = settings.METHOD == "full" and compute == torch.float16
    placed = torch.cuda.is_available() and settings.PARALLELISM in ("single", "pipeline", "ddp")
    devices = "auto" if settings.PARALLELISM == "pipeline" else {"": local_rank}
    model = _architecture(settings).from_pretrained(
        base.source,
        revision=base.revision,
        dtype=torch.float32 if masters else compute,
        attn_implementation=settings.ATTN_IMPLEMENTATION,
        quantization_config=quantization(settings, compute) if settings.METHOD == "qlora" else None,
        device_map=devices if placed else None,
        **_head(settings),
    )
    if base.folder is not None:  # adapters name the model that they are for, wherever its files lay
        model.name_or_path = model.config._name_or_path = settings.MODEL_ID
    keep_packing(model)
    for name in beside_language_model(model):
        model.get_submodule(name).requires_grad_(False)
    return model


def _architecture(settings: Settings) -> Any:
    """What is loaded: a language model, or one that has a score for a text in the place of the next token's logits."""
    return AutoModelForSequenceClassification if settings.TASK == "reward" else AutoModelForCausalLM


def _head(settings: Settings) -> dict[str, Any]:
    """What makes the new head of a reward model: one output, and the seed, as TRL sets them."""
    if settings.TASK != "reward":
        return {}
    set_seed(settings.SEED)
    return {"num_labels": 1}


@contextmanager
def reference_found(model: Any, base: Base, settings: Settings) -> Iterator[None]:
    """While TRL makes its trainer: a second model, the reference of one of which all weights are trained, is this base.

    TRL (1.16, `get_config_model_id`) loads what the model's config names, without a revision.
    """
    named = model.config._name_or_path
    if settings.METHOD == "full":
        model.config._name_or_path = str(base.folder or base.source)
    try:
        yield
    finally:
        model.config._name_or_path = named


def beside_language_model(model: Any) -> list[str]:
    """The modules of a wrapper that text does not go through: a tower for images or sound, and its projector.

    Nothing of them is trained, also where all weights are: they get no gradient, and ranks that wait for one stop.
    """
    base = model.base_model
    if base is model or not hasattr(base, "language_model"):
        return []
    return [f"{model.base_model_prefix}.{name}" for name, _ in base.named_children() if name != "language_model"]


def keep_packing(model: Any) -> None:
    """Keeps 4-bit weights packed as they were quantised, on every CPU and in every mode.

    Where a CPU has AVX512-BF16, bitsandbytes (0.50.2, `nn.Linear4bit.forward`) repacks them when a model that does
    not train is called. Training after that loses the gradients of the layers below without a word, and a save or a
    merge changes the weights. On a GPU this switch has no effect.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def quantization(settings: Settings, compute: torch.dtype) -> BitsAndBytesConfig:
    """How bitsandbytes stores the base: 4-bit with the settings' type, scales and storage, or LLM.int8()."""
    kept = {"llm_int8_skip_modules": [HEAD]} if settings.TASK == "reward" else {}
    if settings.BNB_QUANT_TYPE == "int8":
        return BitsAndBytesConfig(load_in_8bit=True, **kept)
    return BitsAndBytesConfig(
        **kept,
        load_in_4bit=True,
        bnb_4bit_quant_type=settings.BNB_QUANT_TYPE,
        bnb_4bit_use_double_quant=settings.BNB_DOUBLE_QUANT,
        bnb_4bit_compute_dtype=compute,
        bnb_4bit_quant_storage=getattr(torch, settings.BNB_4BIT_QUANT_STORAGE),
    )


def adapters(settings: Settings, beside: Sequence[str] = ()) -> LoraConfig | None:
    """The adapters; None where all weights are trained.

    Args:
        settings: the run's settings.
        beside: modules that get none, whatever is inside them, see `beside_language_model`.
    """
    if settings.METHOD == "full":
        return None
    targets = settings.TARGET_MODULES
    return LoraConfig(
        r=settings.LORA_R,
        lora_alpha=settings.LORA_ALPHA,
        lora_dropout=settings.LORA_DROPOUT,
        target_modules=None if targets == "default" else targets if isinstance(targets, str) else list(targets),
        layers_to_transform=list(settings.LAYERS_TO_TRANSFORM) or None,
        exclude_modules=rf"({'|'.join(map(re.escape, beside))})\..*" if beside else None,
        modules_to_save=[*settings.MODULES_TO_SAVE, *([HEAD] if settings.TASK == "reward" else [])] or None,
        use_rslora=settings.USE_RSLORA,
        use_dora=settings.USE_DORA,
        bias="none",
        task_type="SEQ_CLS" if settings.TASK == "reward" else "CAUSAL_LM",
    )


def trainer_arguments(
    invocation: Invocation, compute: torch.dtype, *, evaluated: bool, engine: Mapping[str, Any] | None = None
) -> Any:
    """TRL's arguments. Nothing is left to the environment, and no service is reported to.

    Args:
        invocation: the run's settings and folders.
        compute: the dtype of matrix products.
        evaluated: whether there are validation data.
        engine: DeepSpeed's JSON, if the run has its own.
    """
    settings, folders = invocation.settings, invocation.folders
    return config_of(settings)(
        output_dir=str(folders.checkpoint_dir),
        use_cpu=not torch.cuda.is_available(),
        learning_rate=settings.LEARNING_RATE,
        max_steps=settings.MAX_STEPS or -1,
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.PER_DEVICE_BATCH_SIZE,
        per_device_eval_batch_size=settings.PER_DEVICE_EVAL_BATCH_SIZE or settings.PER_DEVICE_BATCH_SIZE,
        gradient_accumulation_steps=settings.GRADIENT_ACCUMULATION_STEPS,
        use_liger_kernel=settings.LIGER,
        optim=settings.OPTIM,
        warmup_steps=settings.WARMUP_STEPS or settings.WARMUP_RATIO or 0,  # below 1 it is a share of all updates
        weight_decay=settings.WEIGHT_DECAY,
        max_grad_norm=settings.MAX_GRAD_NORM,
        bf16=compute == torch.bfloat16,
        fp16=compute == torch.float16,
        logging_steps=settings.LOGGING_STEPS,
        logging_nan_inf_filter=False,  # a loss that is not a number would be logged as 0, or left out of a mean
        eval_strategy="steps" if evaluated and (settings.EVAL_STEPS or settings.EVALS_PER_EPOCH) else "no",
        eval_steps=1 if settings.EVALS_PER_EPOCH else settings.EVAL_STEPS,  # 1 until an epoch is known
        save_strategy="steps",
        save_steps=1 if settings.SAVES_PER_EPOCH else settings.SAVE_STEPS,
        seed=settings.SEED,
        dataloader_pin_memory=torch.cuda.is_available(),
        ddp_find_unused_parameters=False,
        accelerator_config={"gradient_accumulation_kwargs": {"sync_each_batch": settings.SYNC_EACH_BATCH}},
        remove_unused_columns=False,  # the column that says which example a row is must reach the trainer
        report_to="none",
        disable_tqdm=not sys.stderr.isatty(),
        **_optimizer(settings),
        **task_arguments(settings),
        **_best(settings),
        **_sharding(settings, engine),
    )


def _optimizer(settings: Settings) -> Mapping[str, Any]:
    """Adam's numbers, and the schedule."""
    return {
        "adam_beta1": settings.ADAM_BETA1,
        "adam_beta2": settings.ADAM_BETA2,
        "adam_epsilon": settings.ADAM_EPSILON,
        "lr_scheduler_type": settings.LR_SCHEDULER_TYPE,
        "lr_scheduler_kwargs": dict(settings.LR_SCHEDULER_KWARGS or {}),
    }


def _best(settings: Settings) -> Mapping[str, Any]:
    """Which checkpoint is delivered: the last one, or the one with the lowest evaluation loss."""
    if not settings.LOAD_BEST_MODEL_AT_END:
        return {}
    return {"load_best_model_at_end": True, "metric_for_best_model": "eval_loss", "greater_is_better": False}


def _sharding(settings: Settings, engine: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Recomputation, and the sharding that goes with it: FSDP recomputes by itself, else gathers would be repeated."""
    if settings.PARALLELISM == "fsdp":
        return {"activation_checkpointing": False, "fsdp": True, "fsdp_config": _fsdp(settings)}
    if settings.PARALLELISM in DISTRIBUTED and settings.PARALLELISM != "ddp":
        usual = {
            "zero_optimization": {"stage": int(settings.PARALLELISM.removeprefix("zero"))},
            "bf16": {"enabled": "auto"},
            "fp16": {"enabled": "auto"},
            "gradient_clipping": "auto",
            "train_batch_size": "auto",
            "train_micro_batch_size_per_gpu": "auto",
            "gradient_accumulation_steps": "auto",
        }
        return {**_recomputing(settings), "deepspeed": dict(usual if engine is None else engine)}
    return _recomputing(settings)


def _recomputing(settings: Settings) -> Mapping[str, Any]:
    """Whether and how layers are computed again.

    TRL 1.16 wants adapters under ZeRO-3 to be reentrant, but says so in an argument that transformers 5.23 ignores.
    """
    usual = settings.PARALLELISM == "zero3" and settings.METHOD != "full"
    reentrant = usual if settings.USE_REENTRANT is None else settings.USE_REENTRANT
    return {
        "activation_checkpointing": settings.GRADIENT_CHECKPOINTING,
        "activation_checkpointing_kwargs": {"use_reentrant": reentrant},
    }


def _fsdp(settings: Settings) -> dict[str, Any]:
    """What FSDP is told; version 1 names its strategies instead of saying whether weights are freed."""
    reshard: bool | str = settings.RESHARD_AFTER_FORWARD
    if settings.FSDP_VERSION == "1":
        reshard = "full_shard" if reshard else "shard_grad_op"
    return {
        "version": int(settings.FSDP_VERSION),
        "reshard_after_forward": reshard,
        "activation_checkpointing": settings.GRADIENT_CHECKPOINTING,
        # 4-bit weights cannot be sent from one rank to the others while loading (accelerate.utils.fsdp_utils)
        "cpu_ram_efficient_loading": settings.METHOD != "qlora",
    }


def keep_trainable_dtype(model: Any, compute: torch.dtype) -> None:
    """Undoes TRL's cast of adapters to bfloat16 where the run computes in another dtype.

    In float32 the cast would bring bfloat16 products back; in float16 the gradient scaler has no bfloat16 kernel.
    """
    if compute != torch.bfloat16:
        for parameter in model.parameters():
            if parameter.requires_grad and parameter.dtype == torch.bfloat16:
                parameter.data = parameter.data.to(torch.float32)


def count_parameters(model: Any) -> dict[str, int]:
    """Trainable and total parameters; packed 4-bit weights count as the weights that they hold."""
    sizes = [(_weights(parameter), parameter.requires_grad) for parameter in model.parameters()]
    return {"trainable": sum(size for size, trained in sizes if trained), "total": sum(size for size, _ in sizes)}


def _weights(parameter: Any) -> int:
    packed = getattr(parameter, "quant_state", None)
    return int(packed.shape.numel()) if packed is not None else int(parameter.numel())
