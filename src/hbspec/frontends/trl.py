"""TRL's YAML for `trl sft`, `dpo`, `kto` or `reward`, as `TrlParser` reads it, and the alignment handbook's recipes.

Sources are files of TRL 1.16.0 (https://github.com/huggingface/trl, trl). accelerate's file stands beside it.
"""

from __future__ import annotations

import re
from pathlib import Path

from hbspec.catalog import Architecture
from hbspec.frontends.known.trl import ALIASES, PROGRAM, TASKS, fields
from hbspec.frontends.reading.adapters import architecture_of, put_targets
from hbspec.frontends.reading.arguments import put_arguments, put_precision, put_sharding
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.defaults import put_defaults, put_usual
from hbspec.frontends.reading.foreign import Foreign, ForeignKey
from hbspec.frontends.reading.front import FrontEnd
from hbspec.frontends.reading.own_program import put_model, put_program
from hbspec.frontends.reading.pinned import pinned
from hbspec.frontends.reading.tasks import put_task
from hbspec.spec.objectives import OTHER_TASKS

TRAINING = "hyperparameters"
DTYPES = ("float32", "bfloat16", "float16")
LOSSES = {"nll": None, "chunked_nll": "chunked"}
SAME_ADAPTERS = ("lora_r", "lora_alpha", "lora_dropout", "use_rslora", "use_dora")


KTO_LOSSES = ("kto", "apo_zero_unpaired")
GRPO_LOSSES = ("grpo", "dr_grpo", "dapo", "bnpo", "cispo", "sapo", "luspo", "vespo")
"""Values of `loss_type` by which these are known from DPO (`trainer/kto_config.py`, `grpo_config.py`)."""
WORD = re.compile(r"[a-z0-9]+")
"""What tasks are looked for among, in paths."""
RATES = {"dpo": 1e-6, "kto": 1e-6, "reward": 1e-4}
"""Default of `learning_rate` by task."""


def translate(foreign: Foreign, building: Building) -> None:
    """The job of a configuration."""
    translate_for(foreign, building, None)


def translate_for(foreign: Foreign, building: Building, asked: ForeignKey | None) -> None:
    """The job of keys for one trainer; without one, the keys say which."""
    put_program(building)
    building.fix(("software", "trainer"), "trl")
    model = foreign.get("model_name_or_path")
    put_model(building, model, foreign.get("model_revision"))
    _put_renamed(foreign, building)
    task = _put_task(foreign, building) if asked is None else _put_asked(foreign, building, asked)
    building.put((TRAINING, "max_length"), foreign.get("max_length", "max_seq_length"))
    building.put((TRAINING, "max_length"), foreign.null("max_length"), "none")
    if put_precision(foreign, building, usual="bfloat16") == "bfloat16":
        put_usual(building, PROGRAM, "hyperparameters.bf16")
    put_arguments(foreign, building, PROGRAM)
    _put_method(foreign, building, architecture_of(model))
    _put_kernels(foreign, building, task)
    put_sharding(foreign, building)
    if task in RATES:
        building.default((TRAINING, "learning_rate"), RATES[task], f"TRL's default, trainer/{task}_config.py")
    put_defaults(building, PROGRAM)
    _ignore(foreign)


def _put_renamed(foreign: Foreign, building: Building) -> None:
    for key in ALIASES:
        given = foreign.peek(key)
        if given:
            building.renamed(given, fields())


def _put_task(foreign: Foreign, building: Building) -> str:
    """The trainer that the keys belong to: keys that `SFTConfig` does not have, and another configuration has."""
    theirs = {task: [key for key in keys if foreign.peek(key)] for task, keys in pinned(PROGRAM)["tasks"].items()}
    most = max(len(keys) for keys in theirs.values())
    if not most:
        return "sft"
    candidates = [task for task, keys in theirs.items() if len(keys) == most]
    loss, given = foreign.peek("loss_type"), foreign.peek(theirs[candidates[0]][0])
    task = next((name for name in ("dpo", "kto", "reward") if name in candidates), candidates[0])
    if loss and loss.text in KTO_LOSSES and "kto" in candidates:
        task = "kto"
    elif loss and loss.text in GRPO_LOSSES and "grpo" in candidates:
        task = "grpo"
    assert given is not None  # noqa: S101 - its key was counted
    if task not in TASKS:
        said = f"{given.key} is a key of TRL's {task.upper()}, which is not estimated"
        building.refuse(given, said, "measure the job itself; TRL's SFT, DPO, KTO and reward trainers are estimated")
        for key in theirs[task]:
            foreign.get(key)
        return task
    named = _named(building) if len(candidates) > 1 and not loss else task
    if named is None:
        building.unread(given, "either", "belongs to several trainers, and is taken for a key of DPO")
    elif named not in TASKS:
        message = f"{given.key} is a key of several of TRL's trainers, and the file's path says {named.upper()}"
        building.refuse(given, f"{message}, which is not estimated", "rename the file, if another one is meant")
        return named
    return _put_objective(foreign, building, given, named or task)


def _put_asked(foreign: Foreign, building: Building, asked: ForeignKey) -> str:
    """The trainer that a command names."""
    task = asked.text
    if task == "sft":
        return task
    if task not in TASKS:
        said = f"TRL's {task.upper()} is not estimated"
        building.refuse(asked, said, "measure the job itself; TRL's SFT, DPO, KTO and reward trainers are estimated")
        for key in pinned(PROGRAM)["tasks"].get(task, ()):
            foreign.get(key)
        return task
    return _put_objective(foreign, building, asked, task)


def _put_objective(foreign: Foreign, building: Building, given: ForeignKey, task: str) -> str:
    put_task(building, given, task)
    building.put((TRAINING, "beta"), foreign.get("beta"))
    building.put((TRAINING, "precompute_ref_log_probs"), foreign.get("precompute_ref_log_probs"))
    return task


def _named(building: Building) -> str | None:
    """The trainer that the file's name or its folder's says, as the handbook's recipes do: `dpo/config_full.yaml`."""
    words = set(WORD.findall(" ".join(Path(building.file).parts[-2:]).casefold()))
    found = words.intersection(pinned(PROGRAM)["tasks"].keys() | OTHER_TASKS.keys())
    return found.pop() if len(found) == 1 else None


def _put_method(foreign: Foreign, building: Building, architecture: Architecture | None) -> None:
    peft, four, eight = (foreign.get(key) for key in ("use_peft", "load_in_4bit", "load_in_8bit"))
    dtype = foreign.get("dtype", "torch_dtype")
    loaded = dtype.text.removeprefix("torch.") if dtype else "float32"
    if loaded in DTYPES:
        building.put(("software", "weights_dtype"), dtype, loaded)
    elif dtype:
        building.default(("software", "weights_dtype"), "bfloat16", "the checkpoint's dtype, taken to be bfloat16")
    put_usual(building, PROGRAM, "software.weights_dtype")
    quantised = (four and four.flag) or (eight and eight.flag)
    if not (peft and peft.flag):
        put_usual(building, PROGRAM, "hyperparameters.method")
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
    if saved and saved.acts:
        building.put((TRAINING, "modules_to_save"), saved, list(saved.texts))


def _put_kernels(foreign: Foreign, building: Building, task: str) -> None:
    building.put((TRAINING, "attn_implementation"), foreign.get("attn_implementation"))
    packing, strategy = foreign.get("packing"), foreign.get("packing_strategy")
    if packing and packing.flag:
        building.put((TRAINING, "packing"), packing, True)
        known = strategy and strategy.text in ("bfd", "bfd_split", "wrapped")
        building.put((TRAINING, "packing_strategy"), strategy, None if known else "bfd")
        put_usual(building, PROGRAM, "hyperparameters.packing_strategy")
    _put_recomputation(foreign, building)
    offloads = foreign.get("activation_offloading")
    if offloads and offloads.flag:
        building.put((TRAINING, "activation_offloading"), offloads, True)
    loss = foreign.get("loss_type")
    if loss and task != "sft":
        building.put((TRAINING, "loss_type"), loss, loss.texts[0] if len(loss.texts) == 1 else None)
    elif loss and loss.text not in LOSSES:
        building.unread(loss, "either", f"computes the loss {loss.text}")
    elif loss and LOSSES[loss.text]:
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
