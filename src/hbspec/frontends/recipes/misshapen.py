"""Parts of a recipe that are not of the kind that its program takes: mappings that are something else, and counts.

Defaults stand in for such a part, as if it had not been written, which would hide what the author meant.
"""

from __future__ import annotations

from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.foreign import Foreign

SECTIONS = {
    "run": (),
    "trainer": (),
    "model": (),
    "exp_manager": (),
    "training_config": ("model_config", "training_args", "datasets", "data", "model", "engine", "optim", "trainer"),
}
"""Mappings of recipes, and those inside of them."""
COUNTS = (
    *("num_nodes", "devices", "train_batch_size", "micro_train_batch_size", "micro_batch_size_per_gpu"),
    "max_token_len_per_gpu",
)


def name_what_is_misshapen(foreign: Foreign, building: Building) -> None:
    """Names sections that are not mappings, and counts that are not whole numbers above 0."""
    for name, inner in SECTIONS.items():
        _name_section(foreign, name, building)
        section = foreign.inside(name) if foreign.peek(name) else None
        if section is None:
            continue
        _name_counts(section, building)
        for one in inner:
            if section.peek(one):
                _name_section(section, one, building)
                _name_counts(section.inside(one), building)


def _name_section(above: Foreign, name: str, building: Building) -> None:
    given = above.peek(name)
    if given and given.placeholder:
        building.not_filled_in(given)
        building.uncertain(name)
    elif given and not isinstance(given.value, dict):
        building.unread(given, "either", "is not a mapping and is not read,")


def _name_counts(section: Foreign, building: Building) -> None:
    for name in COUNTS:
        given = section.peek(name)
        if given is None or given.placeholder or (given.number is not None and given.number < 0):  # said elsewhere
            continue
        if not given.number or given.number != int(given.number):
            building.unread(given, "either", "is not a whole number above 0 and is not read,")
