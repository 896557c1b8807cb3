"""LLaMA-Factory's YAML, as `llamafactory-cli train` reads it.

Sources are files of LLaMA-Factory 0.9.5 (https://github.com/hiyouga/LLaMA-Factory, src/llamafactory).
"""

from __future__ import annotations

from hbspec.frontends.known.llamafactory import PROGRAM, fields
from hbspec.frontends.reading.adapters import architecture_of, every_linear, put_targets
from hbspec.frontends.reading.arguments import put_arguments, put_precision, put_sharding
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.defaults import put_defaults, put_usual, usual
from hbspec.frontends.reading.foreign import Foreign, ForeignKey
from hbspec.frontends.reading.front import FrontEnd
from hbspec.frontends.reading.own_program import put_framework, put_initial, put_model
from hbspec.frontends.reading.tasks import put_task

TRAINING = "hyperparameters"
KERNELS = {
    "auto": "sdpa",
    "sdpa": "sdpa",
    "disabled": "eager",
    "fa2": "flash_attention_2",
    "fa3": "kernels-community/vllm-flash-attn3",
}
"""By `flash_attn` (`model/model_utils/attention.py`)."""
TASKS = {"pt": "pretrain", "dpo": "dpo", "kto": "kto", "rm": "reward"}
"""By `stage`, beside `sft`."""
LOSSES = ("sigmoid", "hinge", "ipo")
"""Values of `pref_loss` that are losses of DPO, with a reference (`train/dpo/trainer.py`)."""
MEGATRON = ("use_mca", "tensor_model_parallel_size", "pipeline_model_parallel_size")
"""Keys of Megatron's arguments, which no other training of LLaMA-Factory takes (`hparams/parser.py`)."""
ASKED = ("do_predict", "do_eval")
"""What a file asks for that trains nothing."""
SAME = {"lora_rank": "lora_r", "lora_alpha": "lora_alpha", "lora_dropout": "lora_dropout"}
SAME |= {"use_rslora": "use_rslora", "use_dora": "use_dora"}


def translate(foreign: Foreign, building: Building) -> None:
    """The job of a configuration."""
    put_framework(building, PROGRAM)
    model = foreign.get("model_name_or_path")
    put_model(building, model, foreign.get("model_revision"))
    stage = foreign.get("stage")
    _refuse_no_training(foreign, building, stage)
    _put_stage(foreign, building, stage)
    _put_data(foreign, building, stage)
    put_arguments(foreign, building, PROGRAM)
    put_sharding(foreign, building)
    pure = foreign.get("pure_bf16")
    compute = put_precision(foreign, building, usual="bfloat16")
    _put_method(foreign, building, model, compute, pure)
    _put_tokens(foreign, building)
    _put_kernels(foreign, building)
    put_defaults(building, PROGRAM)


def _put_stage(foreign: Foreign, building: Building, stage: ForeignKey | None) -> None:
    """What the stage trains for: its trainers are not TRL's, which is what is estimated (`train/dpo/trainer.py`)."""
    loss, other = foreign.get("pref_loss"), foreign.get("ref_model")
    if stage is None or stage.text == "sft":
        return
    if stage.text not in TASKS or (stage.text == "dpo" and loss and loss.text not in LOSSES):
        named = loss if stage.text in TASKS and loss else stage
        message = f"LLaMA-Factory's {named.key}: {named.text} is not a training that is estimated"
        building.refuse(named, message, "use stage: sft or pref_loss: sigmoid, if that is meant")
        return
    put_task(building, stage, TASKS[stage.text])
    if stage.text in ("dpo", "kto"):
        building.put((TRAINING, "beta"), foreign.get("pref_beta"))
        building.put((TRAINING, "loss_type"), loss if stage.text == "dpo" else None)
        if other:
            building.unread(other, "either", "names another model as the reference")
        building.unread(stage, "more", "holds all logits in float32, those of the reference as well")
    elif stage.text == "rm":
        building.unread(stage, "more", "computes the logits beside the rewards, and holds every layer's output")


def _refuse_no_training(foreign: Foreign, building: Building, stage: ForeignKey | None) -> None:
    """Files for `llamafactory-cli export` and `chat`, and those of the interface that is called v1."""
    for key, what in (("export_dir", "merges adapters"), ("infer_backend", "answers prompts")):
        given = foreign.get(key)
        if given and not stage:
            building.refuse(given, f"a file with {key} {what}, and trains nothing", "name the file of the training")
            return
    trains = foreign.peek("do_train")
    for key in ASKED:
        asked = foreign.peek(key)
        if asked and asked.flag and not (trains and trains.flag):
            message = f"a file with {key} and without do_train trains nothing"
            building.refuse(asked, message, "set do_train to true, if it is to train")
            return
    megatron = next((given for key in MEGATRON if (given := foreign.get(key)) and given.acts), None)
    if megatron:
        message = f"{megatron.key} is a key of Megatron, whose training is not estimated"
        building.refuse(megatron, message, "use FSDP or DeepSpeed, if that is meant, or measure the job itself")
        return
    newer = foreign.get("model_class")
    if newer:
        action = "write it in the keys of `llamafactory-cli train`, or as a spec"
        building.refuse(newer, "a file with model_class is of LLaMA-Factory's v1 interface, which is not read", action)


def _put_data(foreign: Foreign, building: Building, stage: ForeignKey | None) -> None:
    """Lengths, packing, and what is held out; packed rows have a token less (`data/processor/supervised.py`)."""
    building.put((TRAINING, "max_length"), foreign.get("cutoff_len"))
    packing, neat = foreign.get("packing"), foreign.peek("neat_packing")
    asked = next((given for given in (packing, neat) if given and given.flag), None)
    if asked or (packing is None and stage and stage.text == "pt"):
        building.put((TRAINING, "packing"), asked or stage, True)
    most, sets = foreign.get("max_samples"), foreign.peek("dataset")
    if most and most.number and sets:  # of each dataset, before a part is held out (`data/loader.py`)
        names = [name for text in sets.texts for name in text.split(",") if name.strip()]
        building.capped.append((most, int(most.number), len(names)))
    share, own = foreign.get("val_size"), foreign.get("eval_dataset")
    if own:
        building.put(("data", "validation"), own, {})
    elif share and share.number:
        key = "share" if share.number < 1 else "examples"
        building.put(("data", "validation", key), share, share.number if key == "share" else int(share.number))


def _put_method(
    foreign: Foreign, building: Building, model: ForeignKey | None, compute: str, pure: ForeignKey | None
) -> None:
    """The method, and dtypes; that of weights is left open without `pure_bf16`, since ZeRO-3 changes it."""
    kind, bits = foreign.get("finetuning_type"), foreign.get("quantization_bit")
    if pure and pure.flag:
        building.put(("software", "autocast"), pure, False)
        building.put((TRAINING, "bf16"), pure, True)
        building.put(("software", "weights_dtype"), pure, "bfloat16")
        compute = "bfloat16"
    elif not building.has((TRAINING, "bf16")) and not building.has((TRAINING, "fp16")):
        building.default((TRAINING, "bf16"), True, "LLaMA-Factory computes in the model's dtype, taken to be bfloat16")
        building.default(("software", "autocast"), False, "transformers' default, training_args.py (bf16, fp16)")
    if kind and kind.text in ("full", "freeze"):
        building.put((TRAINING, "method"), kind, "full")
        if kind.text == "freeze":
            building.unread(kind, "less", "trains some of the layers only")
        return
    if kind and kind.text != "lora":
        building.unread(kind, "either", f"is {kind.text}, which is read as LoRA")
    quantised = bits is not None and bool(bits.number)
    building.put((TRAINING, "method"), kind or bits, "qlora" if quantised else "lora")
    put_usual(building, PROGRAM, "hyperparameters.method")
    if quantised and bits:
        _put_quantisation(foreign, building, bits, compute)
    _put_adapters(foreign, building, model)


def _put_quantisation(foreign: Foreign, building: Building, bits: ForeignKey, compute: str) -> None:
    """Bitsandbytes' 4 or 8 bits, stored in the compute dtype (`model/model_utils/quantization.py`)."""
    kind, how = foreign.get("quantization_type"), foreign.get("quantization_method")
    if how and how.text not in ("bnb", "bitsandbytes"):
        building.unread(how, "either", f"quantises by {how.text}")
    if bits.number == 8:
        building.put((TRAINING, "bnb_quant_type"), bits, "int8")
        return
    if bits.number != 4:
        building.unread(bits, "either", f"stores weights in {bits.text} bits")
    building.put((TRAINING, "bnb_quant_type"), kind)
    building.put((TRAINING, "bnb_double_quant"), foreign.get("double_quantization"))
    storage = usual(building, PROGRAM)["hyperparameters.bnb_4bit_quant_storage"]
    building.default((TRAINING, "bnb_4bit_quant_storage"), compute, storage.source)


def _put_adapters(foreign: Foreign, building: Building, model: ForeignKey | None) -> None:
    architecture = architecture_of(model)
    for key, name in SAME.items():
        building.put((TRAINING, name), foreign.get(key))
    rank, targets, theirs = foreign.peek("lora_rank"), foreign.get("lora_target"), usual(building, PROGRAM)
    twice = 2 * ((rank and rank.number) or theirs["hyperparameters.lora_r"].value)
    building.default((TRAINING, "lora_alpha"), twice, theirs["hyperparameters.lora_alpha"].source)
    if targets:
        put_targets(building, targets, architecture)
    every = every_linear(architecture)
    building.default((TRAINING, "target_modules"), every, theirs["hyperparameters.target_modules"].source)
    _put_initial(foreign, building)
    also = foreign.get("additional_target")
    if also and also.acts:
        building.put((TRAINING, "modules_to_save"), also, list(also.texts))


def _put_initial(foreign: Foreign, building: Building) -> None:
    """Adapters to go on from: the last of several, or none with `create_new_adapter`; the others are merged before.

    The revision is that of the model (`model/adapter.py`, `_setup_lora_tuning`, `init_kwargs`).
    """
    given, anew = foreign.get("adapter_name_or_path"), foreign.get("create_new_adapter")
    if given is None or not given.texts:
        return
    if anew and anew.flag:
        building.unread(given, "either", "merges adapters into the model before new ones are made")
        return
    put_initial(building, given, given.texts[-1], foreign.peek("model_revision"))


def _put_tokens(foreign: Foreign, building: Building) -> None:
    """Tokens that are added, by which the vocabulary is resized (`model/loader.py`)."""
    added = [given for key in ("add_tokens", "add_special_tokens") if (given := foreign.get(key)) and given.acts]
    if added:
        building.put(("model", "added_tokens"), added[0], sum(len(given.texts) for given in added))


def _put_kernels(foreign: Foreign, building: Building) -> None:
    kernel = foreign.get("flash_attn")
    building.put((TRAINING, "attn_implementation"), kernel, kernel and KERNELS.get(kernel.text, kernel.text))
    liger = foreign.get("enable_liger_kernel")
    if liger and liger.flag:
        building.put((TRAINING, "liger"), liger, True)
        building.put((TRAINING, "loss"), liger, "fused")
    off, also = foreign.get("disable_gradient_checkpointing"), foreign.get("gradient_checkpointing")
    if off and off.flag:
        building.put((TRAINING, "gradient_checkpointing"), off, False)
        return
    building.put((TRAINING, "gradient_checkpointing"), also, True)
    reentrant = foreign.get("use_reentrant_gc")
    building.put((TRAINING, "use_reentrant"), reentrant, reentrant and reentrant.flag)
    second = building.value(("instance", "fsdp_version")) == 2
    source = usual(building, PROGRAM)["hyperparameters.use_reentrant"].source
    building.default((TRAINING, "use_reentrant"), not second, source)


FRONT = FrontEnd("LLaMA-Factory", translate, fields)
