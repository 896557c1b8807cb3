"""What the trainer is given: the model in its dtype and place, the adapters, and the trainer's arguments.

Dtypes follow TRL 1.16 on top of peft and bitsandbytes: 16-bit weights are loaded in the compute dtype and stay there
(TRL casts neither embeddings, head nor norms of a quantised model to float32, unlike peft's
`prepare_model_for_kbit_training`); adapters on a quantised model become bfloat16, on any other they are float32.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import torch
from peft import LoraConfig
from settings import DISTRIBUTED, Invocation, Settings
from transformers import AutoModelForCausalLM, BitsAndBytesConfig
from trl import SFTConfig


def compute_dtype(settings: Settings) -> torch.dtype:
    """The dtype of matrix products: as set, float32 where only refusals are set, else the best that the GPU has."""
    if settings.BF16:
        return torch.bfloat16
    if settings.FP16:
        return torch.float16
    if settings.BF16 is not None or settings.FP16 is not None or not torch.cuda.is_available():
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def load_model(source: str, settings: Settings, compute: torch.dtype, local_rank: int) -> Any:
    """The base model, quantised for qlora, on the device (or over the devices) that the parallelism asks for.

    float16 needs float32 masters where all weights are trained: the gradient scaler refuses float16 gradients.
    """
    masters = settings.METHOD == "full" and compute == torch.float16
    placed = torch.cuda.is_available() and settings.PARALLELISM in ("single", "pipeline", "ddp")
    devices = "auto" if settings.PARALLELISM == "pipeline" else {"": local_rank}
    model = AutoModelForCausalLM.from_pretrained(
        source,
        revision=settings.REVISION,
        dtype=torch.float32 if masters else compute,
        attn_implementation=settings.ATTN_IMPLEMENTATION,
        quantization_config=quantization(settings, compute) if settings.METHOD == "qlora" else None,
        device_map=devices if placed else None,
    )
    keep_packing(model)
    return model


def keep_packing(model: Any) -> None:
    """Keeps 4-bit weights packed as they were quantised, on every CPU and in every mode.

    Where a CPU has AVX512-BF16, bitsandbytes (0.50.2, `nn.Linear4bit.forward`) packs them anew when a model that does
    not train is called. Training after that loses the gradients of the layers below without a word, and a save or a
    merge changes the weights. On a GPU this switch has no effect.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def quantization(settings: Settings, compute: torch.dtype) -> BitsAndBytesConfig:
    """How bitsandbytes stores the base: 4-bit with the settings' type, scales and storage, or LLM.int8()."""
    if settings.BNB_QUANT_TYPE == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=settings.BNB_QUANT_TYPE,
        bnb_4bit_use_double_quant=settings.BNB_DOUBLE_QUANT,
        bnb_4bit_compute_dtype=compute,
        bnb_4bit_quant_storage=getattr(torch, settings.BNB_4BIT_QUANT_STORAGE),
    )


def adapters(settings: Settings) -> LoraConfig | None:
    """The adapters; None where all weights are trained."""
    if settings.METHOD == "full":
        return None
    targets = settings.TARGET_MODULES
    return LoraConfig(
        r=settings.LORA_R,
        lora_alpha=settings.LORA_ALPHA,
        lora_dropout=settings.LORA_DROPOUT,
        target_modules=targets if isinstance(targets, str) else list(targets),
        modules_to_save=list(settings.MODULES_TO_SAVE) or None,
        use_rslora=settings.USE_RSLORA,
        use_dora=settings.USE_DORA,
        bias="none",
        task_type="CAUSAL_LM",
    )


def trainer_arguments(invocation: Invocation, compute: torch.dtype, *, evaluated: bool) -> SFTConfig:
    """TRL's arguments. Nothing is left to the environment, and no service is reported to."""
    settings, folders = invocation.settings, invocation.folders
    best = settings.LOAD_BEST_MODEL_AT_END
    return SFTConfig(
        output_dir=str(folders.checkpoint_dir),
        use_cpu=not torch.cuda.is_available(),
        learning_rate=settings.LEARNING_RATE,
        max_steps=settings.MAX_STEPS or -1,
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.PER_DEVICE_BATCH_SIZE,
        per_device_eval_batch_size=settings.PER_DEVICE_BATCH_SIZE,
        gradient_accumulation_steps=settings.GRADIENT_ACCUMULATION_STEPS,
        max_length=settings.MAX_LENGTH,
        packing=settings.PACKING,
        eval_packing=False,
        optim=settings.OPTIM,
        lr_scheduler_type=settings.LR_SCHEDULER_TYPE,
        warmup_steps=settings.WARMUP_STEPS or settings.WARMUP_RATIO or 0,  # below 1 it is a share of all updates
        weight_decay=settings.WEIGHT_DECAY,
        max_grad_norm=settings.MAX_GRAD_NORM,
        bf16=compute == torch.bfloat16,
        fp16=compute == torch.float16,
        logging_steps=settings.LOGGING_STEPS,
        eval_strategy="steps" if evaluated and settings.EVAL_STEPS else "no",
        eval_steps=settings.EVAL_STEPS,
        save_strategy="steps",
        save_steps=settings.SAVE_STEPS,
        load_best_model_at_end=best,
        metric_for_best_model="eval_loss" if best else None,
        greater_is_better=False if best else None,
        seed=settings.SEED,
        dataloader_pin_memory=torch.cuda.is_available(),
        ddp_find_unused_parameters=False,
        remove_unused_columns=False,  # the column that says which example a row is must reach the trainer
        report_to="none",
        disable_tqdm=not sys.stderr.isatty(),
        **_sharding(settings),
    )


def _sharding(settings: Settings) -> Mapping[str, Any]:
    """Recomputation, and the sharding that goes with it: FSDP recomputes by itself, else gathers would be repeated."""
    recompute = settings.GRADIENT_CHECKPOINTING
    if settings.PARALLELISM == "fsdp":
        # 4-bit weights cannot be sent from one rank to the others while loading (accelerate.utils.fsdp_utils)
        from_one_rank = settings.METHOD != "qlora"
        sharding = {"version": 2, "activation_checkpointing": recompute, "cpu_ram_efficient_loading": from_one_rank}
        return {"activation_checkpointing": False, "fsdp": True, "fsdp_config": sharding}
    if settings.PARALLELISM in DISTRIBUTED and settings.PARALLELISM != "ddp":
        engine = {
            "zero_optimization": {"stage": int(settings.PARALLELISM.removeprefix("zero"))},
            "bf16": {"enabled": "auto"},
            "fp16": {"enabled": "auto"},
            "gradient_clipping": "auto",
            "train_batch_size": "auto",
            "train_micro_batch_size_per_gpu": "auto",
            "gradient_accumulation_steps": "auto",
        }
        return {"activation_checkpointing": recompute, "deepspeed": engine}
    return {"activation_checkpointing": recompute}


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
