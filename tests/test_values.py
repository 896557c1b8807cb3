"""The quick dataclass does what the standard library's does."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from hbspec import values


def define(decorator: Any, name: str) -> type:
    """The same class by either decorator."""

    class Point:
        """A place with a mark."""

        x: int
        y: float = 2.0
        marks: tuple[str, ...] = dataclasses.field(default=())
        notes: dict[str, int] = dataclasses.field(default_factory=dict)

        @property
        def total(self) -> float:
            return self.x + self.y

        def __post_init__(self) -> None:
            if self.x < 0:
                raise ValueError("negative")

    Point.__name__ = Point.__qualname__ = name
    return decorator(frozen=True, slots=True)(Point)


Quick, Usual = define(values.dataclass, "Quick"), define(dataclasses.dataclass, "Usual")
Quick.__module__ = Usual.__module__ = __name__
BOTH = pytest.mark.parametrize("made", [Quick, Usual])


@BOTH
def test_fields_by_place_by_name_and_by_default(made):
    value = made(1, marks=("a",))
    assert (value.x, value.y, value.marks, value.notes, value.total) == (1, 2.0, ("a",), {}, 3.0)
    assert made(1).notes is not made(1).notes
    assert dataclasses.asdict(value) == {"x": 1, "y": 2.0, "marks": ("a",), "notes": {}}
    assert [field.name for field in dataclasses.fields(value)] == ["x", "y", "marks", "notes"]


@BOTH
@pytest.mark.parametrize(
    ("given", "named"), [((), {}), ((1, 2, 3, 4, 5), {}), ((1,), {"x": 1}), ((1,), {"z": 1}), ((), {"y": 1})]
)
def test_what_does_not_fit_is_a_type_error(made, given, named):
    with pytest.raises(TypeError):
        made(*given, **named)


@BOTH
def test_a_check_of_its_own_is_run_each_time(made):
    with pytest.raises(ValueError, match="negative"):
        made(-1)
    with pytest.raises(ValueError, match="negative"):
        dataclasses.replace(made(1), x=-1)


@BOTH
def test_nothing_can_be_changed(made):
    value = made(1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del value.x
    assert not hasattr(value, "__dict__")
    assert dataclasses.replace(value, x=5).x == 5
    assert value.x == 1


@BOTH
def test_equal_values_are_equal_and_of_one_hash(made):
    one, same, other = (made(x, notes=None) for x in (1, 1, 2))
    assert one == same != other
    assert len({one, same, other}) == 2
    assert one != (1, 2.0, (), None)


def test_two_classes_are_never_equal():
    assert Quick(1) != Usual(1)


def test_they_look_alike():
    assert repr(Quick(1)).replace("Quick", "Usual") == repr(Usual(1))
    assert Quick.__doc__ == Usual.__doc__
    assert Quick.__match_args__ == Usual.__match_args__


@BOTH
def test_copies(made):
    value = made(1, notes={"a": 1})
    assert copy.deepcopy(value) == copy.copy(value) == pickle.loads(pickle.dumps(value)) == value
    assert copy.deepcopy(value).notes is not value.notes


def test_everything_else_is_the_standard_librarys():
    @values.dataclass(frozen=True, slots=True, order=True)
    class Ordered:
        x: int

    @values.dataclass(slots=True)
    class Open:
        x: int

    assert Ordered(1) < Ordered(2)
    held = Open(1)
    held.x = 2
    assert held == Open(2)
