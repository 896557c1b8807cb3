"""What every file of another program has in common: that program runs the training, and not the shipped script."""

from __future__ import annotations

from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.foreign import ForeignKey

SCRIPT = ("script", "entry_point")
ENTRY_POINT = "train.py"
"""The script that starts the program, which a foreign file does not name."""


TRAINER = ("software", "trainer")


def put_program(building: Building) -> None:
    """The job is trained by a script of the author's: the one that starts the program."""
    building.fix(SCRIPT, ENTRY_POINT)


def put_framework(building: Building, name: str) -> None:
    """The job is trained by a framework that the language has a name for."""
    building.fix(TRAINER, name)


def put_model(building: Building, model: ForeignKey | None, revision: ForeignKey | None = None) -> None:
    """The model by its name on the Hub, and the revision where one is pinned."""
    building.put(("model", "id"), model, model and model.text)
    if revision and revision.text != "main":
        building.put(("model", "revision"), revision, revision.text)


OTHER_ADAPTERS = "goes on from adapters, whose rank and modules count"


def put_initial(building: Building, given: ForeignKey, name: str, revision: ForeignKey | None = None) -> None:
    """Adapters that training goes on from; what they are like is not in the file."""
    building.put(("model", "adapter"), given, name)
    if revision and revision.text != "main":
        building.put(("model", "adapter_revision"), revision, revision.text)
    building.unread(given, "either", OTHER_ADAPTERS)
