"""Sources' spellings of kernels, losses, optimizers and adapted modules, in the words of the spec."""

from __future__ import annotations

import re
from typing import NamedTuple

from hbspec.catalog import Architecture
from hbspec.catalog.parameters import target_module_names
from hbspec.plan.epochs import SDPA_BY_DEFAULT
from measured.frameworks import Framework
from measured.reason import NotExpressibleError


def attention(text: str, transformers: str) -> str:
    """The attention kernel; where nothing is said, what a version of transformers chooses."""
    lowered = text.lower()
    if lowered in ("", "?") and not SDPA_BY_DEFAULT.is_in({"transformers": transformers}):
        return "eager"
    if lowered.startswith("eager"):
        return "eager"
    return "flash_attention_2" if lowered.startswith("flash") else "sdpa"


def loss(text: str, framework: Framework) -> str:
    """How the loss is computed; fms-acceleration's fast cross-entropy copies the logits that it works on in place."""
    lowered = text.lower()
    if "liger" in lowered or "fused linear" in lowered:
        return "fused"
    if "chunk" in lowered:
        return "standard" if framework.trainer == "litgpt" else "chunked"  # LitGPT holds all of its chunks
    if IN_PLACE in lowered:
        return "in_place_shifted" if "foak" in lowered else "in_place"
    return framework.loss if lowered in ("", "?") else "standard"


def optimizer(text: str) -> str:
    """The transformers name of an optimizer as a source writes it; AdamW where it writes none.

    Raises:
        NotExpressibleError: an optimizer that transformers does not have.
    """
    lowered = text.lower().replace(" ", "_").replace("-", "_")
    if re.search(r"galore|badam|lomo|muon|sophia|apollo|lora_?fa|shampoo", lowered):
        raise NotExpressibleError(f"optimizer {text}")
    eight, paged = bool(re.search(r"8.?bit|int8", lowered)), "paged" in lowered
    if "lion" in lowered:
        return f"{'paged_' if paged else ''}lion_{'8bit' if eight else '32bit'}"
    if "adafactor" in lowered:
        return "adafactor"
    if re.search(r"\bsgd", lowered):
        return "sgd"
    if paged:
        return "paged_adamw_8bit" if eight else "paged_adamw_32bit"
    if eight:
        return "adamw_bnb_8bit"
    if lowered in ("", "?") or "adam" in lowered:
        return "adamw_torch_fused" if "fused" in lowered else "adamw_torch"
    raise NotExpressibleError(f"optimizer {text}")


ALIASES = {
    "q": ("q_proj",),
    "k": ("k_proj",),
    "v": ("v_proj",),
    "o": ("o_proj",),
    "c_attn": ("q_proj", "k_proj", "v_proj"),
    "c_proj": ("o_proj", "down_proj"),
    "w1": ("up_proj",),
    "w2": ("gate_proj",),
    "w3": ("down_proj",),
    "mlp": ("gate_proj", "up_proj", "down_proj"),
    "attention": ("q_proj", "k_proj", "v_proj", "o_proj"),
}
"""Short names, and those of Qwen 1, in names of the families that stand for them."""


IN_PLACE = "kernel"
"""In a cell of the loss: a kernel that writes the gradient over the logits, as fms-acceleration's and Unsloth's do."""


class Targets(NamedTuple):
    """The adapted modules, and the names of a row that its model does not have."""

    chosen: str | list[str]
    absent: tuple[str, ...]


def targets(text: str, framework: Framework, architecture: Architecture) -> Targets:
    """The adapted modules, by the names that the architecture has.

    Raises:
        NotExpressibleError: none of the modules is one of the architecture's.
    """
    named = _named(text, framework)
    if re.match(r"all\b", named, re.IGNORECASE):
        return Targets("all-linear", ())
    existing = {name.rpartition(".")[2] for name in target_module_names(architecture)}
    wanted = {name: ALIASES.get(name.lower(), (name,)) for name in re.split(r"[,;/\s]+", named) if name}
    absent = tuple(name for name, modules in wanted.items() if not existing.intersection(modules))
    chosen = dict.fromkeys(module for modules in wanted.values() for module in modules if module in existing)
    if not chosen:
        raise NotExpressibleError(f"adapters on {text}: the model has no such module")
    return Targets(list(chosen), absent)


def _named(text: str, framework: Framework) -> str:
    """The modules that a cell names: before its remarks, or in them where the rest is only "default"."""
    named = re.split(r"\(| \+ ", text)[0].strip()
    if named and not re.search(r"default|blank|printed|trainable", named, re.IGNORECASE):
        return named
    if re.search(r"qkv|q,k,v", text):
        return "q_proj,k_proj,v_proj"
    return "q_proj,v_proj" if "q,v" in text else framework.targets
