"""What axolotl's keys change in a model that is loaded: its configuration, and which of its weights are trained.

Sources are files of axolotl 0.19.0 (https://github.com/axolotl-ai-cloud/axolotl, src/axolotl).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hbspec.catalog import Architecture
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.foreign import Foreign

ROUTERS = "output_router_logits"
BALANCED = frozenset({"gpt_oss", "granitemoe", "mixtral", "qwen2_moe", "qwen3_moe"})
"""Types that add the loss which balances experts (transformers 5.23.0, `load_balancing_loss_func` in their files)."""
ADAPTED = "base_model.model."
"""What peft puts before the name of every parameter."""
LITERAL = re.compile(r"\.(?!\+)")
"""The periods that stand for themselves in a pattern (`utils/freeze.py`, `LayerNamePattern`)."""


def put_changed_model(foreign: Foreign, building: Building, architecture: Architecture | None) -> None:
    """`model_config`, of which the loss that balances experts is read; models without experts do not know its key."""
    given = foreign.get("overrides_of_model_config", "model_config")
    if given is None or not given.acts:
        return
    only = isinstance(given.value, dict) and set(given.value) == {ROUTERS}
    routers = foreign.inside(given.key).get(ROUTERS) if only else None
    if routers is None or architecture is None:
        building.unread(given, "either", "changes the model's configuration")
    elif routers.flag and architecture.model_type in BALANCED:
        building.put(("hyperparameters", ROUTERS), routers, True)
    elif routers.flag and architecture.moe_layers:
        building.unread(given, "more", "holds what the routers give")


def put_unfrozen(foreign: Foreign, building: Building, *, adapters: bool) -> None:
    """Patterns of the weights that are trained, which are applied when adapters are there (`train.py`)."""
    given = foreign.get("unfrozen_parameters")
    if given is None or not given.acts:
        return
    patterns = [re.escape(text) if not _compiles(text) else LITERAL.sub(r"\.", text) for text in given.texts]
    if adapters and not any(_may_begin(pattern, ADAPTED) for pattern in patterns):
        message = (
            f"unfrozen_parameters freezes the adapters, too: the names of all parameters begin with {ADAPTED}, which "
            "no pattern matches, so nothing is trained"
        )
        building.refuse(given, message, "delete unfrozen_parameters: beside adapters the base model is frozen anyway")
    elif adapters or not any(_all_of_the_text(patterns, before) for before in ("model.", "model.language_model.")):
        building.unread(given, "less", "trains some of the weights only")


def _compiles(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True


def _may_begin(pattern: str, name: str) -> bool:
    """Whether a pattern may match a name that begins so; one that begins with letters has to begin alike."""
    letters = re.match(r"\^?((?:\w|\\\.)+)", pattern)
    begun = letters[1].replace("\\.", ".") if letters else ""
    return name.startswith(begun) or begun.startswith(name)


def _all_of_the_text(patterns: Sequence[str], before: str) -> bool:
    """Whether the patterns train every parameter of the language model, whose names begin so, and its head."""
    names = (f"{before}embed_tokens.weight", f"{before}layers.", f"{before}norm.weight", "lm_head.weight")
    return all(any(re.match(pattern, name) for pattern in patterns) for name in names)
