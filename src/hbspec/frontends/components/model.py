"""The model of a torchtune configuration: the function that builds it says its size, and by `lora_` the method.

Sources are files of torchtune bd2a0fc7 (https://github.com/pytorch/torchtune), torchtune/models.
"""

from __future__ import annotations

from hbspec.catalog import catalog
from hbspec.catalog.roles import target_module_names
from hbspec.frontends.components.refused import component
from hbspec.frontends.known.torchtune import model_of_builder
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.foreign import Foreign, ForeignKey
from hbspec.frontends.reading.own_program import put_model

TRAINING = "hyperparameters"
ADAPTED = ("qlora_", "lora_")
SAME = {"lora_rank": "lora_r", "lora_alpha": "lora_alpha", "lora_dropout": "lora_dropout", "use_dora": "use_dora"}
OF_ATTENTION = {"output_proj": "o_proj"}
"""Names of modules that transformers calls otherwise."""
OWN_ATTENTION = "pytorch/torchtune bd2a0fc7: torchtune/models/gemma2/_attention.py (whose scores are capped)"
OF_MLP = ("gate_proj", "up_proj", "down_proj")
FUSED = {"q_proj": "qkv_proj", "k_proj": "qkv_proj", "v_proj": "qkv_proj"}
FUSED |= {"gate_proj": "gate_up_proj", "up_proj": "gate_up_proj"}
"""Modules that transformers' Phi has as one, and torchtune's has apart (`models/phi3/_component_builders.py`)."""


def put_builder(foreign: Foreign, building: Building) -> str:
    """The model, the method and the adapters; the method."""
    given = foreign.inside("model")
    kind = component(given)
    name = kind.text.rpartition(".")[2] if kind else ""
    size = name.removeprefix("q").removeprefix("lora_") if name.startswith(ADAPTED) else name
    known = model_of_builder().get(size)
    if kind:
        put_model(building, kind._replace(value=known or size))
        if known is None:
            building.unread(kind, "either", f"builds a model by {kind.text}, whose size is not known")
    if size.startswith("gemma2_"):
        building.default((TRAINING, "attn_implementation"), "eager", OWN_ATTENTION)
    method = _put_method(given, building, kind, name)
    if method != "full":
        _put_adapters(given, building, known)
    if known is None:
        given.pass_over()
    return method


def _put_method(given: Foreign, building: Building, kind: ForeignKey | None, name: str) -> str:
    quantised = given.get("quantize_base")
    adapted = next((found for key in ("lora_attn_modules", "lora_rank") if (found := given.peek(key))), None)
    if name.startswith("qlora_") or (quantised and quantised.flag):
        method = "qlora"
    else:
        method = "lora" if name.startswith("lora_") or (adapted and not name) else "full"
    building.put((TRAINING, "method"), kind or adapted or quantised, method)
    return method


def _put_adapters(given: Foreign, building: Building, model: str | None) -> None:
    for key, ours in SAME.items():
        building.put((TRAINING, ours), given.get(key))
    attention, mlp, output = (
        given.get(key) for key in ("lora_attn_modules", "apply_lora_to_mlp", "apply_lora_to_output")
    )
    if attention is None:
        return
    if attention.placeholder:
        building.not_filled_in(attention)
        return
    names = [OF_ATTENTION.get(name, name) for name in attention.texts]
    names += OF_MLP if mlp and mlp.flag else ()
    names += ["lm_head"] if output and output.flag else []
    models = catalog().models
    architecture = models[model].architecture if model and model in models else None
    has = target_module_names(architecture) if architecture else tuple(names)
    if any(name not in has and FUSED.get(name) in has for name in names):
        building.unread(attention, "either", "adapts modules one by one that transformers' model has as one")
        names = [name if name in has else FUSED.get(name, name) for name in names]
    building.put((TRAINING, "target_modules"), attention, list(dict.fromkeys(names)))
