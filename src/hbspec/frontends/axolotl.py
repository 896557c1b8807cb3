"""axolotl's YAML, as `axolotl train` reads it.

Sources are files of axolotl 0.19.0 (https://github.com/axolotl-ai-cloud/axolotl, src/axolotl). Of its plugins the fused
losses and Liger are read.
"""

from __future__ import annotations

from hbspec.frontends.known.axolotl import ADAPTER_DEFAULTS, DEFAULTS, FOUR_BIT_DEFAULTS, REWARDS, fields
from hbspec.frontends.reading.adapters import architecture_of, every_linear, put_targets
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.deepspeed import put_deepspeed
from hbspec.frontends.reading.foreign import Foreign, ForeignKey
from hbspec.frontends.reading.front import FrontEnd
from hbspec.frontends.reading.own_program import put_framework, put_model
from hbspec.frontends.reading.sharding import put_fsdp

TRAINING = "hyperparameters"
SAME = {
    "learning_rate": "learning_rate",
    "num_epochs": "num_train_epochs",
    "micro_batch_size": "per_device_batch_size",
    "gradient_accumulation_steps": "gradient_accumulation_steps",
    "optimizer": "optim",
    "weight_decay": "weight_decay",
    "max_grad_norm": "max_grad_norm",
    "warmup_ratio": "warmup_ratio",
    "save_total_limit": "save_total_limit",
    "logging_steps": "logging_steps",
    "load_best_model_at_end": "load_best_model_at_end",
    "seed": "seed",
    "lora_r": "lora_r",
    "lora_alpha": "lora_alpha",
    "lora_dropout": "lora_dropout",
    "peft_use_dora": "use_dora",
    "peft_use_rslora": "use_rslora",
}
"""Keys that say the same under another name."""

ATTENTION = {
    "flash_attention": "flash_attention_2",
    "flex_attention": "flex_attention",
    "sdp_attention": "sdpa",
    "xformers_attention": "sdpa",
    "sage_attention": "flash_attention_2",
    "eager_attention": "eager",
}
"""Switches of attention kernels, each counted as the kernel whose tensors live as long."""
KERNELS = {"xformers": "sdpa", "sage": "flash_attention_2", "flash_attention": "flash_attention_2"}
CUT, LIGER = "cut_cross_entropy", "liger"


def translate(foreign: Foreign, building: Building) -> None:
    """The job of a configuration."""
    put_framework(building, "axolotl")
    model = foreign.get("base_model")
    put_model(building, model, foreign.get("revision_of_model", "model_revision"))
    _refuse_other_tasks(foreign, building)
    for key, name in SAME.items():
        building.put((TRAINING, name), foreign.get(key))
    _batch(foreign, building)
    _lengths(foreign, building)
    _data(foreign, building)
    bf16 = _precision(foreign, building)
    method = _method(foreign, building)
    if method != "full":
        _adapters(foreign, building, model)
    _kernels(foreign, building)
    _checkpointing(foreign, building)
    _schedule(foreign, building)
    sharded = put_deepspeed(building, foreign.get("deepspeed")) or put_fsdp(foreign, building, version=1)
    if not (sharded and method == "full" and not building.has(("instance", "deepspeed"))):
        building.default(("software", "weights_dtype"), bf16, "axolotl, loaders/model.py")
    tensor = foreign.get("tensor_parallel_size")
    if tensor and tensor.number != 1:
        building.put(("instance", "tensor_parallel"), tensor)
    for route, value, source in DEFAULTS:
        building.default(route, value, source)


def _refuse_other_tasks(foreign: Foreign, building: Building) -> None:
    said = [found for name in ("rl", *REWARDS) if (found := foreign.get(name)) and found.acts]
    for given in said[:1]:
        what = f"rl: {given.text}" if given.key == "rl" else given.key
        building.refuse(given, f"axolotl's {what} is not supervised tuning, which alone is estimated", "delete it")


def _batch(foreign: Foreign, building: Building) -> None:
    """The batch of all GPUs together, where accumulation is not said (`utils/config/__init__.py`)."""
    batch, micro = foreign.get("batch_size"), foreign.peek("micro_batch_size")
    if batch and not foreign.peek("gradient_accumulation_steps") and batch.number:
        each = (micro and micro.number) or 1
        building.put((TRAINING, "gradient_accumulation_steps"), batch, max(1, int(batch.number // each)))


def _lengths(foreign: Foreign, building: Building) -> None:
    length = foreign.get("sequence_len")
    building.put((TRAINING, "max_length"), length)
    packing = foreign.get("sample_packing")
    if packing and packing.flag:
        building.put((TRAINING, "packing"), packing, True)
    padded = foreign.get("pad_to_sequence_len")
    if padded and padded.flag and not (packing and packing.flag) and length and isinstance(length.value, int):
        building.put(("data", "tokens"), padded, {"mean": length.value, "max": length.value})
    foreign.get("datasets", "pretraining_dataset", "dataset_prepared_path", "eval_sample_packing")


def _data(foreign: Foreign, building: Building) -> None:
    """A share of the training data, a number of its examples, or data of their own for evaluations."""
    share, own = foreign.get("val_set_size"), foreign.get("test_datasets")
    if own:
        building.put(("data", "validation"), own, {})
    elif share and share.number:
        key = "share" if share.number < 1 else "examples"
        building.put(("data", "validation", key), share, share.number if key == "share" else int(share.number))


def _precision(foreign: Foreign, building: Building) -> str:
    """The dtype of loaded weights, `cfg.torch_dtype` (`utils/config/__init__.py`, `resolve_dtype`)."""
    bf16, fp16 = foreign.get("bf16", "bfloat16"), foreign.get("fp16", "float16")
    if fp16 and fp16.flag and not (bf16 and bf16.flag and bf16.text != "auto"):
        building.put((TRAINING, "fp16"), fp16, True)
        return "float16"
    if bf16 and bf16.text != "auto":
        building.put((TRAINING, "bf16"), bf16, bf16.flag)
        return "bfloat16" if bf16.flag else "float32"
    building.default((TRAINING, "bf16"), True, "axolotl's default `auto`, utils/schemas/config.py")
    return "bfloat16"


def _method(foreign: Foreign, building: Building) -> str:
    adapter, four, eight = (foreign.get(key) for key in ("adapter", "load_in_4bit", "load_in_8bit"))
    if adapter is None or not adapter.acts:
        building.default((TRAINING, "method"), "full", "axolotl trains all weights without an adapter")
        return "full"
    if adapter.text not in ("lora", "qlora"):
        building.unread(adapter, "either", "is not LoRA")
    four_bit = (four and four.flag) or (adapter.text == "qlora" and not (eight and eight.flag))
    if not four_bit and not (eight and eight.flag):
        building.put((TRAINING, "method"), adapter, "lora")
        return "lora"
    building.put((TRAINING, "method"), adapter, "qlora")
    if not four_bit:
        building.put((TRAINING, "bnb_quant_type"), eight, "int8")
        return "qlora"
    _quantisation(foreign, building)
    return "qlora"


def _quantisation(foreign: Foreign, building: Building) -> None:
    inside = foreign.inside("bnb_config_kwargs")
    building.put((TRAINING, "bnb_quant_type"), inside.get("bnb_4bit_quant_type"))
    building.put((TRAINING, "bnb_double_quant"), inside.get("bnb_4bit_use_double_quant"))
    storage = inside.get("bnb_4bit_quant_storage")
    building.put((TRAINING, "bnb_4bit_quant_storage"), storage, storage and storage.text.removeprefix("torch."))
    for route, value, source in FOUR_BIT_DEFAULTS:
        building.default(route, value, source)


def _adapters(foreign: Foreign, building: Building, model: ForeignKey | None) -> None:
    architecture = architecture_of(model)
    linear, targets = foreign.get("lora_target_linear"), foreign.get("lora_target_modules")
    if linear and linear.flag:
        building.put((TRAINING, "target_modules"), linear, every_linear(architecture))
    elif targets and targets.acts:
        put_targets(building, targets, architecture)
    saved = foreign.get("lora_modules_to_save")
    if saved and saved.acts:
        building.put((TRAINING, "modules_to_save"), saved, list(saved.texts))
    cast = foreign.get("peft_autocast_adapter_dtype")
    if cast and not cast.flag:
        building.put(("software", "adapter_dtype"), cast, "bfloat16")
    for route, value, source in ADAPTER_DEFAULTS:
        building.default(route, value, source)


def _kernels(foreign: Foreign, building: Building) -> None:
    named = foreign.get("attn_implementation")
    if named:
        building.put((TRAINING, "attn_implementation"), named, KERNELS.get(named.text, named.text))
    for key, kernel in ATTENTION.items():
        given = foreign.get(key)
        if given and given.flag and not named:
            building.put((TRAINING, "attn_implementation"), given, kernel)
    plugins = foreign.get("plugins")
    loaded = plugins.text.casefold() if plugins else ""
    cut, chunked = foreign.get(CUT), foreign.get("chunked_cross_entropy")
    head = foreign.get("liger_fused_linear_cross_entropy")
    if plugins and CUT in loaded and not (cut and not cut.flag):
        building.put((TRAINING, "loss"), cut or plugins, "fused")
    elif head and head.flag and LIGER in loaded:
        building.put((TRAINING, "loss"), head, "fused")
    elif chunked and chunked.flag:
        building.put((TRAINING, "loss"), chunked, "chunked")
    norm, glu = foreign.get("liger_rms_norm"), foreign.get("liger_glu_activation", "liger_swiglu")
    if LIGER in loaded and norm and norm.flag and glu and glu.flag:
        building.put((TRAINING, "liger"), norm, True)


def _checkpointing(foreign: Foreign, building: Building) -> None:
    """Gradient checkpointing, reentrant unless told (`utils/config/__init__.py`), and what goes to the host."""
    given, offloaded = foreign.get("gradient_checkpointing"), foreign.get("activation_offloading")
    if given is None or not given.flag:
        building.put((TRAINING, "gradient_checkpointing"), given, False)
        return
    building.put((TRAINING, "gradient_checkpointing"), given, True)
    if given.text.startswith("offload"):
        building.put((TRAINING, "activation_offloading"), given, True)
    elif offloaded and offloaded.acts:
        building.put((TRAINING, "activation_offloading"), offloaded, True)
    reentrant = foreign.inside("gradient_checkpointing_kwargs").get("use_reentrant")
    building.put((TRAINING, "use_reentrant"), reentrant, reentrant and reentrant.flag)
    if not foreign.peek("unfrozen_parameters"):
        building.default((TRAINING, "use_reentrant"), True, "axolotl's default, utils/config/__init__.py")


def _schedule(foreign: Foreign, building: Building) -> None:
    """Steps, and what happens so often an epoch (`utils/config/__init__.py`, `normalize_config`)."""
    steps, scheduler = foreign.get("max_steps"), foreign.get("lr_scheduler")
    if steps and (steps.number or 0) > 0:
        building.put((TRAINING, "max_steps"), steps)
    if scheduler:
        named = "cosine" if scheduler.text in ("one_cycle", "rex") else scheduler.text
        building.put((TRAINING, "lr_scheduler_type"), scheduler, named)
    warmup = foreign.get("warmup_steps")
    building.put((TRAINING, "warmup_steps"), warmup)
    if not warmup:
        building.default((TRAINING, "warmup_ratio"), 0.03, "axolotl's default, core/builders/base.py (at most 100)")
    epochs = foreign.peek("num_epochs")
    over = (epochs and epochs.number) or 1.0
    for every, often in (("save_steps", "saves_per_epoch"), ("eval_steps", "evals_per_epoch")):
        given, times = foreign.get(every), foreign.get(often)
        evaluated = every == "save_steps" or building.has(("data", "validation"))
        if given and given.number:
            building.put((TRAINING, every), given)
        elif times and times.number and evaluated and 0 < (share := 1.0 / (times.number * over)) < 1:
            building.put((TRAINING, every), times, share)
    foreign.get("save_strategy", "eval_strategy")
    batch, micro = foreign.get("eval_batch_size"), foreign.peek("micro_batch_size")
    if building.has((TRAINING, "eval_steps")):
        building.put((TRAINING, "per_device_eval_batch_size"), batch)
        usual = (micro and micro.number) or 1
        building.default((TRAINING, "per_device_eval_batch_size"), usual, "axolotl's default, utils/config/__init__.py")


FRONT = FrontEnd("axolotl", translate, fields)
