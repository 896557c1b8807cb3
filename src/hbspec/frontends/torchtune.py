"""torchtune's YAML, as `tune run` reads it: mappings with `_component_` name Python objects, and none is made here.

Sources are files of torchtune bd2a0fc7 (https://github.com/pytorch/torchtune). A file does not say which recipe runs
it; its keys, its builder and its name do.
"""

from __future__ import annotations

from pathlib import PurePath

from hbspec.frontends.components.interpolation import filled
from hbspec.frontends.components.model import put_builder
from hbspec.frontends.components.refused import component, refused
from hbspec.frontends.components.steps import (
    put_loss,
    put_optimizer,
    put_recomputation,
    put_schedule,
    put_sharing,
)
from hbspec.frontends.known.torchtune import PROGRAM, fields
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.defaults import put_defaults, put_usual
from hbspec.frontends.reading.foreign import Foreign, ForeignKey
from hbspec.frontends.reading.front import FrontEnd
from hbspec.frontends.reading.left_open import Said
from hbspec.frontends.reading.own_program import put_framework

TRAINING = "hyperparameters"
SAME = {
    "epochs": "num_train_epochs",
    "batch_size": "per_device_batch_size",
    "gradient_accumulation_steps": "gradient_accumulation_steps",
    "log_every_n_steps": "logging_steps",
    "seed": "seed",
}
"""Keys that say the same under another name."""
ALONE = ("single_device", "low_memory")
"""How the names of files end that a recipe for one GPU runs (`torchtune/_recipe_registry.py`)."""
OWN = ("tokenizer", "checkpointer", "profiler")
"""Sections whose arguments are known where the component is torchtune's."""


def translate(foreign: Foreign, building: Building) -> None:
    """The job of a configuration."""
    if refused(foreign, building):
        foreign.pass_over()
        return
    put_framework(building, PROGRAM)
    method = put_builder(foreign, building)
    put_loss(foreign, building)
    for key, name in SAME.items():
        building.put((TRAINING, name), foreign.get(key))
    put_optimizer(foreign, building)
    put_schedule(foreign, building)
    put_recomputation(foreign, building)
    put_sharing(foreign, building)
    _put_lengths(foreign, building)
    _put_precision(foreign, building)
    _put_updates(foreign, building, method)
    _put_evaluation(foreign, building)
    _put_saves(foreign, building, method)
    _name_what_simulates(foreign, building)
    for section in OWN:
        _pass_over_what_is_not_theirs(foreign.inside(section))
    if PurePath(building.file).stem.endswith(ALONE):
        source = "pytorch/torchtune bd2a0fc7: torchtune/_recipe_registry.py (files so named are for one GPU)"
        building.default(("instance", "parallelism"), "single", source)
    put_defaults(building, PROGRAM)


def _put_lengths(foreign: Foreign, building: Building) -> None:
    """The tokenizer cuts; packed rows are full, and stay apart (`datasets/_packed.py`)."""
    tokenizer = foreign.inside("tokenizer")
    building.put((TRAINING, "max_length"), tokenizer.get("max_seq_len"))
    several = foreign.peek("dataset")
    sets = [*foreign.items("dataset")] or [foreign.inside("dataset")]
    packed = next((found for one in sets if (found := one.get("packed")) and found.flag), None)
    for one in sets:
        one.pass_over()
    if packed:
        building.put((TRAINING, "packing"), packed, True)
        put_usual(building, PROGRAM, "hyperparameters.packing_strategy")
    if several and several.placeholder:
        building.not_filled_in(several)


def finish(foreign: Foreign, building: Building, said: Said) -> None:
    """Rows that nothing cuts, and of which nothing says how long they are: all of the model's positions count."""
    elsewhere = any(said(route) for route in (("data", "tokens"), ("data", "profile"), (TRAINING, "max_length")))
    if building.stopped or elsewhere or building.value((TRAINING, "max_length")) != "none":
        return
    tokenizer = foreign.inside("tokenizer")
    given = tokenizer.null("max_seq_len") or component(tokenizer) or foreign.peek("tokenizer")
    if given:
        message = (
            "no max_seq_len cuts rows, and nothing says how long they are: rows of all the model's positions count"
        )
        given = given._replace(route=("tokenizer", "max_seq_len"))
        building.imprecise(given, message, "say it with --set data.tokens={mean: …, max: …}, or set max_seq_len")
        building.uncertain("max_seq_len", "less")


def _put_precision(foreign: Foreign, building: Building) -> None:
    """The dtype of weights and products, without autocast."""
    given = foreign.get("dtype")
    if given and given.text in ("fp16", "fp32"):
        building.put((TRAINING, "bf16"), given, False)
        building.put((TRAINING, "fp16"), given, given.text == "fp16")
        narrow = "float16" if given.text == "fp16" else "float32"
        for key in ("weights_dtype", "adapter_dtype"):
            building.put(("software", key), given, narrow)
    elif given and given.text == "bf16":
        building.put((TRAINING, "bf16"), given, True)
    elif given and not given.placeholder:
        building.unread(given, "either", f"computes in {given.text}")
    else:
        building.put((TRAINING, "bf16"), given)
        put_usual(building, PROGRAM, "hyperparameters.bf16")


def _put_updates(foreign: Foreign, building: Building, method: str) -> None:
    """Updates of an epoch, if they are fewer than the data has; and whether the backward pass makes them."""
    most, epochs = foreign.get("max_steps_per_epoch"), foreign.peek("epochs")
    if most and most.number and most.number > 0:
        passes = epochs.number if epochs and epochs.number and epochs.number > 0 else 1
        building.put((TRAINING, "max_steps"), most, int(most.number * passes))
    early = foreign.get("optimizer_in_bwd")
    if early and early.flag and method == "full":
        building.put((TRAINING, "optimizer_in_bwd"), early, True)


def _put_evaluation(foreign: Foreign, building: Building) -> None:
    """Evaluations, which `run_val_every_n_steps` asks for."""
    own, every, rows = (foreign.get(key) for key in ("dataset_val", "run_val_every_n_steps", "batch_size_val"))
    if own and every and every.number:
        building.put(("data", "validation"), own, {})
        building.put((TRAINING, "eval_steps"), every)
        building.put((TRAINING, "per_device_eval_batch_size"), rows)
        building.put((TRAINING, "per_device_eval_batch_size"), None if rows else foreign.peek("batch_size"))


def _put_saves(foreign: Foreign, building: Building, method: str) -> None:
    """Checkpoints, in which adapters are merged unless they alone are wanted (`_checkpoint_client.py`)."""
    every = foreign.get("save_every_n_steps")
    building.put((TRAINING, "save_steps"), every)
    if not every:
        put_usual(building, PROGRAM, "hyperparameters.save_strategy")
    building.put((TRAINING, "save_total_limit"), foreign.inside("checkpointer").get("keep_last_n_checkpoints"))
    alone = foreign.get("save_adapter_weights_only")
    if method != "full":
        building.put((TRAINING, "merge_weights"), alone, None if alone is None else not alone.flag)
        source = "pytorch/torchtune bd2a0fc7: recipes (`save_adapter_weights_only`)"
        building.default((TRAINING, "merge_weights"), True, source)


def _name_what_simulates(foreign: Foreign, building: Building) -> None:
    """Training with simulated quantisation, and models of another form."""
    given = foreign.inside("quantizer")
    kind = component(given)
    given.pass_over()
    if kind:
        building.unread(kind, "more", "simulates quantisation in every product")
    device = foreign.get("device")
    if device and not device.placeholder and device.text.partition(":")[0] != "cuda":
        building.unread(device, "either", f"trains on {device.text}")
    _name_compilation(foreign.get("compile"), building)


def _name_compilation(given: ForeignKey | None, building: Building) -> None:
    """`true`, or a mapping of what is compiled, in which the model and the loss are by default."""
    parts = given.value if given and isinstance(given.value, dict) else None
    compiled = any(parts.get(key, True) for key in ("model", "loss")) if parts is not None else given and given.flag
    if given and compiled and not given.placeholder:
        building.unread(given, "less", "joins the kernels of a layer, which then hold fewer tensors")


def _pass_over_what_is_not_theirs(section: Foreign) -> None:
    kind = component(section)
    if kind and not kind.text.startswith("torchtune."):
        section.pass_over()


FRONT = FrontEnd("torchtune", translate, fields, finish=finish, filled=filled, several="fsdp")
