"""Sources' spellings of kernels, losses, optimizers and adapted modules, in the words of the spec."""

from __future__ import annotations

import re

from hbspec.catalog import Architecture
from hbspec.catalog.parameters import target_module_names
from measured.frameworks import Framework
from measured.reason import NotExpressibleError


def attention(text: str) -> str:
    """The attention kernel; sdpa where nothing is said, as transformers chooses."""
    lowered = text.lower()
    if lowered.startswith("eager"):
        return "eager"
    return "flash_attention_2" if lowered.startswith("flash") else "sdpa"


def loss(text: str, framework: Framework) -> str:
    """How the loss is computed. A kernel that works in place on the logits counts as fused, which is nearer."""
    lowered = text.lower()
    if "liger" in lowered or "fused linear" in lowered or "kernel" in lowered:
        return "fused"
    if "chunk" in lowered:
        return "chunked"
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


def targets(text: str, framework: Framework, architecture: Architecture) -> str | list[str]:
    """The adapted modules, by the names that the architecture has.

    Raises:
        NotExpressibleError: none of the modules is one of the architecture's.
    """
    named = re.split(r"\(| \+ ", text)[0].strip()
    if not named or re.search(r"default|blank|printed|trainable", named, re.IGNORECASE):
        named = "q_proj,v_proj" if "q,v" in text else framework.targets
    if re.match(r"all\b", named, re.IGNORECASE):
        return "all-linear"
    existing = {name.rpartition(".")[2] for name in target_module_names(architecture)}
    wanted = [module for name in re.split(r"[,;/\s]+", named) if name for module in ALIASES.get(name.lower(), (name,))]
    chosen = [module for module in dict.fromkeys(wanted) if module in existing]
    if not chosen:
        raise NotExpressibleError(f"adapters on {text}")
    return chosen
