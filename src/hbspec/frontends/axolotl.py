"""axolotl's YAML, as `axolotl train` reads it.

Sources are files of axolotl 0.19.0 (https://github.com/axolotl-ai-cloud/axolotl, src/axolotl). Of its plugins the fused
losses and Liger are read.
"""

from __future__ import annotations

from hbspec.frontends.known.axolotl import PROGRAM, fields
from hbspec.frontends.reading.adapters import architecture_of, every_linear, put_targets
from hbspec.frontends.reading.axolotl_model import put_changed_model, put_unfrozen
from hbspec.frontends.reading.axolotl_step import put_kernels, put_recomputation
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.deepspeed import put_deepspeed
from hbspec.frontends.reading.defaults import put_defaults, put_usual, usual
from hbspec.frontends.reading.foreign import Foreign, ForeignKey
from hbspec.frontends.reading.front import FrontEnd
from hbspec.frontends.reading.own_program import put_framework, put_initial, put_model
from hbspec.frontends.reading.sharding import put_fsdp
from hbspec.frontends.reading.tasks import put_task

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
    "adam_beta1": "adam_beta1",
    "adam_beta2": "adam_beta2",
    "adam_epsilon": "adam_epsilon",
    "lr_scheduler_kwargs": "lr_scheduler_kwargs",
}
"""Keys that say the same under another name."""

LANGUAGE_MODELS = ("ForCausalLM", "ForConditionalGeneration", "LMHeadModel")
"""How the classes of models end that transformers loads for the text."""


TASKS = {"dpo": "dpo", "ipo": "dpo", "kto": "kto"}
"""By `rl` (`core/builders/rl.py`); the trainers derive from TRL's."""


def translate(foreign: Foreign, building: Building) -> None:
    """The job of a configuration."""
    put_framework(building, PROGRAM)
    model = foreign.get("base_model")
    put_model(building, model, foreign.get("revision_of_model", "model_revision"))
    _elsewhere(foreign, building, model)
    _task(foreign, building)
    for key, name in SAME.items():
        building.put((TRAINING, name), foreign.get(key))
    _batch(foreign, building)
    _lengths(foreign, building)
    _data(foreign, building)
    _precision(foreign, building)
    method = _method(foreign, building)
    put_deepspeed(building, foreign.get("deepspeed")) or put_fsdp(foreign, building, version=1)
    _loading(foreign, building)
    put_changed_model(foreign, building, architecture_of(model))
    put_unfrozen(foreign, building, adapters=method != "full")
    if method != "full":
        _adapters(foreign, building, model)
    _vocabulary(foreign, building, model, adapters=method != "full")
    put_kernels(foreign, building, architecture_of(model))
    put_recomputation(foreign, building, architecture_of(model))
    _schedule(foreign, building)
    tensor = foreign.get("tensor_parallel_size")
    if tensor and tensor.number != 1:
        building.put(("instance", "tensor_parallel"), tensor)
    put_defaults(building, PROGRAM)


def _elsewhere(foreign: Foreign, building: Building, model: ForeignKey | None) -> None:
    """A configuration or a class of another model, and weights that are quantised already."""
    config = foreign.get("base_model_config")
    if config and (model is None or config.text != model.text):
        building.unread(config, "either", "takes the model's configuration from elsewhere")
    kind = foreign.get("model_type", "type_of_model")
    if kind and not kind.text.endswith(LANGUAGE_MODELS) and not foreign.peek("reward_model"):
        building.unread(kind, "either", f"loads {kind.text}")
    stored = foreign.get("model_quantization_config")
    unpacked = foreign.inside("model_quantization_config_kwargs").get("dequantize")
    if stored and not (unpacked and unpacked.flag):
        building.unread(stored, "either", "loads weights that are quantised already")


def _loading(foreign: Foreign, building: Building) -> None:
    """Weights that every GPU holds whole before FSDP shards them (`loaders/model.py`, `_build_model`)."""
    config, skips = foreign.inside("fsdp_config"), foreign.get("experimental_skip_move_to_device")
    lean = config.get("cpu_ram_efficient_loading", "fsdp_cpu_ram_efficient_loading")
    apart = any(given and given.flag for given in (skips, lean))
    quantised = building.value((TRAINING, "method")) == "qlora"
    given = lean or foreign.peek("fsdp_config") or foreign.peek("fsdp")
    if given and building.value(("instance", "parallelism")) == "fsdp" and not apart and not quantised:
        building.put(("instance", "loads_whole"), given, True)


def _task(foreign: Foreign, building: Building) -> None:
    """Preference tuning and reward models, which TRL's trainers train; what no task is, is refused."""
    kind, rewards, steps = (foreign.get(key) for key in ("rl", "reward_model", "process_reward_model"))
    texts, noise = foreign.get("pretraining_dataset"), foreign.get("diffusion")
    for given in (kind, steps, noise):
        if given and given.acts and given.text not in TASKS:
            what = f"rl: {given.text}" if given.key == "rl" else given.key
            action = f"use one of rl: {', '.join(TASKS)}, if that is meant, or measure the job itself"
            building.refuse(given, f"axolotl's {what} is not a training that is estimated", action)
            return
    if kind and kind.acts:
        put_task(building, kind, TASKS[kind.text])
        building.put((TRAINING, "beta"), foreign.get("rl_beta", "dpo_beta"))
        loss = foreign.get("dpo_loss_type")
        if loss and len(loss.texts) == 1:
            building.put((TRAINING, "loss_type"), loss, loss.texts[0])
        elif loss:
            building.unread(loss, "either", "adds several losses")
        elif kind.text == "ipo":
            building.put((TRAINING, "loss_type"), kind, "ipo")
        building.put((TRAINING, "precompute_ref_log_probs"), foreign.get("precompute_ref_log_probs"))
    elif rewards and rewards.flag:
        put_task(building, rewards, "reward")
    elif texts and texts.acts:
        put_task(building, texts, "pretrain")


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
    whole, texts = foreign.get("pretraining_sample_concatenation"), foreign.peek("pretraining_dataset")
    if texts and texts.acts and not (packing and packing.flag) and (whole is None or whole.flag):
        building.put((TRAINING, "packing"), texts, True)  # rows that are filled, and stay apart
        building.put((TRAINING, "packing_strategy"), texts, "wrapped")
    foreign.get("datasets", "dataset_prepared_path", "eval_sample_packing")


def _data(foreign: Foreign, building: Building) -> None:
    """A share of the training data, a number of its examples, or data of their own for evaluations."""
    share, own = foreign.get("val_set_size"), foreign.get("test_datasets")
    if own:
        building.put(("data", "validation"), own, {})
    elif share and share.number:
        key = "share" if share.number < 1 else "examples"
        building.put(("data", "validation", key), share, share.number if key == "share" else int(share.number))


def _precision(foreign: Foreign, building: Building) -> None:
    """The dtype of the products, in which weights are loaded, too (`utils/config/__init__.py`, `resolve_dtype`)."""
    bf16, fp16 = foreign.get("bf16", "bfloat16"), foreign.get("fp16", "float16")
    if fp16 and fp16.flag and not (bf16 and bf16.flag and bf16.text != "auto"):
        building.put((TRAINING, "fp16"), fp16, True)
    elif bf16 and bf16.text != "auto":
        building.put((TRAINING, "bf16"), bf16, bf16.flag)
    else:
        put_usual(building, PROGRAM, "hyperparameters.bf16")


def _method(foreign: Foreign, building: Building) -> str:
    adapter, four, eight = (foreign.get(key) for key in ("adapter", "load_in_4bit", "load_in_8bit"))
    if adapter is None or not adapter.acts:
        put_usual(building, PROGRAM, "hyperparameters.method")
        return "full"
    if adapter.text not in ("lora", "qlora"):
        building.unread(adapter, "either", "is not LoRA")
    four_bit = (four and four.flag) or (adapter.text == "qlora" and not (eight and eight.flag))
    if not four_bit and not (eight and eight.flag):
        building.put((TRAINING, "method"), adapter, "lora")
        return "lora"
    building.put((TRAINING, "method"), adapter, "qlora")
    experts = foreign.get("quantize_moe_experts")
    if experts and experts.flag:
        building.put((TRAINING, "quantize_experts"), experts, True)
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


def _adapters(foreign: Foreign, building: Building, model: ForeignKey | None) -> None:
    architecture = architecture_of(model)
    first = foreign.get("lora_model_dir")
    if first and first.acts:
        put_initial(building, first, first.text)
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
    some = foreign.get("peft_layers_to_transform")
    if some and some.acts:
        building.put(
            (TRAINING, "layers_to_transform"), some, some.value if isinstance(some.value, list) else [some.value]
        )
        building.unread(some, "less", "adapts some of the layers only")


def _vocabulary(foreign: Foreign, building: Building, model: ForeignKey | None, *, adapters: bool) -> None:
    """Tokens that are added: with adapters, the embedding is trained where `lora_modules_to_save` says so."""
    added, multiple = foreign.get("tokens"), foreign.get("resize_token_embeddings_to_32x")
    if added and isinstance(added.value, list) and added.acts:
        if adapters and not building.has((TRAINING, "modules_to_save")):
            building.unread(added, "more", "adds rows to the embedding")
        else:
            building.put(("model", "added_tokens"), added, len(added.value))
    architecture = architecture_of(model)
    if multiple and multiple.flag and (architecture is None or architecture.vocab_size % 32):
        building.unread(multiple, "more", "adds rows to the embedding")


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
        put_usual(building, PROGRAM, "hyperparameters.warmup_ratio")
    epochs = foreign.peek("num_epochs")
    over = (epochs and epochs.number) or 1.0
    for every, often in (("save_steps", "saves_per_epoch"), ("eval_steps", "evals_per_epoch")):
        given, times = foreign.get(every), foreign.get(often)
        evaluated = every == "save_steps" or building.has(("data", "validation"))
        if given and given.number:
            building.put((TRAINING, every), given)
        elif times and times.number and evaluated and 0 < (share := 1.0 / (times.number * over)) < 1:
            building.put((TRAINING, every), times, share)
    foreign.get("save_strategy", "eval_strategy", "evaluation_strategy")
    batch, micro = foreign.get("eval_batch_size"), foreign.peek("micro_batch_size")
    if building.has((TRAINING, "eval_steps")):
        building.put((TRAINING, "per_device_eval_batch_size"), batch)
        default = usual(building, PROGRAM)["hyperparameters.per_device_eval_batch_size"]
        rows = (micro and micro.number) or 1
        building.default((TRAINING, "per_device_eval_batch_size"), rows, default.source)


FRONT = FrontEnd("axolotl", translate, fields)
