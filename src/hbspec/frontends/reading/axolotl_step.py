"""What axolotl's keys say of one step: kernels, the loss, and what is recomputed.

Sources are files of axolotl 0.19.0 (https://github.com/axolotl-ai-cloud/axolotl, src/axolotl).
"""

from __future__ import annotations

from hbspec.catalog import Architecture, catalog
from hbspec.frontends.known.axolotl import LIGER_TYPES, PLUGINS
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.foreign import Foreign

TRAINING = "hyperparameters"
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
GATED, NORMS = "qwen3_5", "computes norms in a kernel of their own"
NOT_REENTRANT = "gemma4"
"""Models whose layers axolotl never recomputes in a backward pass of their own (`normalize_config`)."""


def put_kernels(foreign: Foreign, building: Building, architecture: Architecture | None) -> None:
    """Attention, the loss, and the plugins that bring kernels."""
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
    for name in plugins.texts if plugins else ():
        if plugins and not any(known in name.casefold() for known in PLUGINS):
            building.unread(plugins, "either", f"loads {name}, which is not known")
    if LIGER in loaded:
        _liger(foreign, building, architecture, _type_of(building.value(("model", "id"))))


def _type_of(model: object) -> str | None:
    """The type of a model of the catalog."""
    return catalog().models[model].model_type if isinstance(model, str) and model in catalog().models else None


def _liger(foreign: Foreign, building: Building, architecture: Architecture | None, kind: str | None) -> None:
    """Liger's kernels, which are counted all together: norms and gates decide, rotations hold nothing more.

    Gated norms are replaced in one family only.
    """
    norm, glu = foreign.get("liger_rms_norm"), foreign.get("liger_glu_activation", "liger_swiglu")
    rope, layer, gated = foreign.get("liger_rope"), foreign.get("liger_layer_norm"), foreign.get("liger_rms_norm_gated")
    if kind is not None and kind not in LIGER_TYPES:
        return
    if layer and layer.flag and not (architecture and architecture.family.norm.startswith("rms")):
        building.unread(layer, "less", NORMS)
    if gated and gated.flag and (kind is None or kind.startswith(GATED)):
        building.unread(gated, "less", NORMS)
    if norm and norm.flag and glu and glu.flag:
        building.put((TRAINING, "liger"), norm, True)
        return
    for given in (norm, glu, rope):
        if given and given.flag:
            building.unread(given, "less", "runs some of Liger's kernels")


def put_recomputation(foreign: Foreign, building: Building, architecture: Architecture | None) -> None:
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
    others = [given for key in ("unfrozen_parameters", "rl") if (given := foreign.peek(key)) and given.acts]
    if others or (architecture and architecture.model_type.startswith(NOT_REENTRANT)):
        building.default((TRAINING, "use_reentrant"), False, "axolotl, utils/config/__init__.py (normalize_config)")
