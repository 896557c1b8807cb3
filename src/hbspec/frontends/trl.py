"""TRL's YAML for `trl sft`, as `TrlParser` reads it; the alignment handbook's recipes are of its earlier versions.

Sources are files of TRL 1.16.0 (https://github.com/huggingface/trl, trl). accelerate's file stands beside it.
"""

from __future__ import annotations

from hbspec.catalog import Architecture
from hbspec.frontends.known.trl import ADAPTER_DEFAULTS, ALIASES, DEFAULTS, FOUR_BIT_DEFAULTS, fields
from hbspec.frontends.reading.adapters import architecture_of, put_targets
from hbspec.frontends.reading.arguments import put_arguments, put_precision, put_sharding
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.foreign import Foreign
from hbspec.frontends.reading.front import FrontEnd
from hbspec.frontends.reading.own_program import put_model, put_program
from hbspec.frontends.reading.pinned import pinned

TRAINING = "hyperparameters"
DTYPES = ("float32", "bfloat16", "float16")
LOSSES = {"nll": None, "chunked_nll": "chunked"}
SAME_ADAPTERS = ("lora_r", "lora_alpha", "lora_dropout", "use_rslora", "use_dora")


def translate(foreign: Foreign, building: Building) -> None:
    """The job of a configuration of `trl sft`."""
    put_program(building)
    model = foreign.get("model_name_or_path")
    put_model(building, model, foreign.get("model_revision"))
    _refuse_other_tasks(foreign, building)
    _put_renamed(foreign, building)
    building.put((TRAINING, "max_length"), foreign.get("max_length", "max_seq_length"))
    unlimited = foreign.null("max_length")
    if unlimited:
        building.unread(unlimited, "more", "is empty and cuts nothing off")
    compute = put_precision(foreign, building, usual="bfloat16")
    building.default((TRAINING, "bf16"), compute == "bfloat16", "TRL's default, trainer/base_config.py")
    put_arguments(foreign, building)
    _put_method(foreign, building, architecture_of(model))
    _put_kernels(foreign, building)
    put_sharding(foreign, building)
    for route, value, source in DEFAULTS:
        building.default(route, value, source)
    _ignore(foreign)


def _put_renamed(foreign: Foreign, building: Building) -> None:
    for key in ALIASES:
        given = foreign.peek(key)
        if given:
            building.renamed(given, fields())


def _refuse_other_tasks(foreign: Foreign, building: Building) -> None:
    """Keys that `SFTConfig` does not have, and the configuration of another trainer has."""
    for task, keys in pinned("trl")["tasks"].items():
        given = next((found for key in keys if (found := foreign.peek(key))), None)
        if given:
            message = (
                f"{given.key} is a key of TRL's {task.upper()}, not of supervised tuning, which alone is estimated"
            )
            building.refuse(given, message, "delete it, if supervised tuning is meant")
            for key in keys:
                foreign.get(key)
            return


def _put_method(foreign: Foreign, building: Building, architecture: Architecture | None) -> None:
    peft, four, eight = (foreign.get(key) for key in ("use_peft", "load_in_4bit", "load_in_8bit"))
    dtype = foreign.get("dtype", "torch_dtype")
    loaded = dtype.text.removeprefix("torch.") if dtype else "float32"
    if loaded in DTYPES:
        building.put(("software", "weights_dtype"), dtype, loaded)
        building.default(("software", "weights_dtype"), "float32", "TRL's default, trainer/model_config.py (dtype)")
    quantised = (four and four.flag) or (eight and eight.flag)
    if not (peft and peft.flag):
        building.default((TRAINING, "method"), "full", "TRL's default, trainer/model_config.py (use_peft)")
        for given in (four, eight):
            if given and given.flag:
                building.unread(given, "less", "quantises weights that no adapters are trained on")
        for key in (*SAME_ADAPTERS, "lora_target_modules", "lora_modules_to_save"):
            foreign.get(key)
        return
    building.put((TRAINING, "method"), peft, "qlora" if quantised else "lora")
    if four and four.flag:
        building.put((TRAINING, "bnb_quant_type"), foreign.get("bnb_4bit_quant_type"))
        building.put((TRAINING, "bnb_double_quant"), foreign.get("use_bnb_nested_quant"))
        building.put((TRAINING, "bnb_4bit_quant_storage"), foreign.get("bnb_4bit_quant_storage"))
        for route, value, source in FOUR_BIT_DEFAULTS:
            building.default(route, value, source)
    elif quantised:
        building.put((TRAINING, "bnb_quant_type"), eight, "int8")
    _put_adapters(foreign, building, architecture)


def _put_adapters(foreign: Foreign, building: Building, architecture: Architecture | None) -> None:
    for key in SAME_ADAPTERS:
        building.put((TRAINING, key), foreign.get(key))
    targets, saved = foreign.get("lora_target_modules"), foreign.get("lora_modules_to_save")
    if targets and targets.texts == ("all-linear",):
        building.put((TRAINING, "target_modules"), targets, "all-linear")
    elif targets:
        put_targets(building, targets, architecture)
    usual = pinned("peft")["targets"].get(architecture.model_type) if architecture else None
    if isinstance(usual, list):
        building.default((TRAINING, "target_modules"), usual, "peft's default, utils/constants.py")
    if saved and saved.acts:
        building.put((TRAINING, "modules_to_save"), saved, list(saved.texts))
    for route, value, source in ADAPTER_DEFAULTS:
        building.default(route, value, source)


def _put_kernels(foreign: Foreign, building: Building) -> None:
    building.put((TRAINING, "attn_implementation"), foreign.get("attn_implementation"))
    packing, strategy = foreign.get("packing"), foreign.get("packing_strategy")
    if packing and packing.flag:
        building.put((TRAINING, "packing"), packing, True)
        known = strategy and strategy.text in ("bfd", "bfd_split", "wrapped")
        building.put((TRAINING, "packing_strategy"), strategy, None if known else "bfd")
    _put_recomputation(foreign, building)
    offloads = foreign.get("activation_offloading")
    if offloads and offloads.flag:
        building.put((TRAINING, "activation_offloading"), offloads, True)
    loss = foreign.get("loss_type")
    if loss and LOSSES.get(loss.text):
        building.put((TRAINING, "loss"), loss, LOSSES[loss.text])


def _put_recomputation(foreign: Foreign, building: Building) -> None:
    """Checkpointing of activations; transformers (5.23, `training_args.py`) takes the new names before the old ones."""
    recomputes = foreign.get("activation_checkpointing", "gradient_checkpointing")
    building.put((TRAINING, "gradient_checkpointing"), recomputes, recomputes and recomputes.flag)
    if recomputes and not recomputes.flag:
        return
    kinds = [foreign.inside(f"{name}_checkpointing_kwargs") for name in ("activation", "gradient")]
    reentrant = next((found for kind in kinds if (found := kind.get("use_reentrant"))), None)
    if reentrant:
        building.put((TRAINING, "use_reentrant"), reentrant, reentrant.flag)
    every = next((found for kind in kinds if (found := kind.get("every_n_layers"))), None)
    if every:
        building.unread(every, "more", "recomputes some of the layers only")


def _ignore(foreign: Foreign) -> None:
    """Where the data is, which influences neither memory nor time; its size is not said."""
    for key in ("dataset_name", "dataset_train_split", "dataset_test_split", "env", "config", "accelerate_config"):
        foreign.get(key)


FRONT = FrontEnd("TRL", translate, fields)
