"""Frozen values that are cheap to define.

`dataclasses.dataclass` writes, compiles and runs the source of seven methods for every frozen class, which takes one to
five milliseconds; at sixty classes that was a fifth of a whole `hbspec check`. The `dataclass` here is the same
decorator, except that a frozen and slotted class gets methods that are written once and look its fields up. To a type
checker it *is* the standard library's; `fields`, `replace` and `asdict` work as ever. Left out: `kw_only`, `InitVar`
and the options of `field` beside its defaults, which nothing here uses.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool = False, slots: bool = False, **options: Any) -> Any:
        """`dataclasses.dataclass`; quicker where the class is frozen and slotted, and nothing else is asked for."""
        if not (frozen and slots) or options:
            return dataclasses.dataclass(frozen=frozen, slots=slots, **options)
        return _frozen

    def _frozen(cls: type) -> type:
        made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
        made.__init__ = _initialiser(made)
        for method in (__setattr__, __delattr__, __eq__, __hash__, __reduce__):
            setattr(made, method.__name__, method)
        if made.__repr__ is object.__repr__:
            made.__repr__ = __repr__
        return made

    def _initialiser(made: type) -> Any:
        names = tuple(made.__dataclass_fields__)
        setters = tuple(getattr(made, name).__set__ for name in names)
        checked = getattr(made, "__post_init__", None)

        def __init__(self: Any, *values: Any, **named: Any) -> None:
            if named or len(values) != len(names):
                values = _bound(made, names, values, named)
            for put, value in zip(setters, values, strict=True):
                put(self, value)
            if checked:
                checked(self)

        return __init__

    def _bound(made: type, names: tuple[str, ...], values: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
        """A value for every field, in order: those given by place, those given by name, defaults."""
        given = dict(zip(names, values, strict=False))
        if len(values) > len(names):
            raise TypeError(f"{made.__name__}() takes {len(names)} values, and {len(values)} are given")
        if strange := [name for name in named if name in given or name not in names]:
            raise TypeError(f"{made.__name__}() has no place for {', '.join(strange)}")
        given |= named
        for name in names:
            if name not in given:
                given[name] = _default(made, made.__dataclass_fields__[name])
        return [given[name] for name in names]

    def _default(made: type, field: dataclasses.Field[Any]) -> Any:
        if field.default is not dataclasses.MISSING:
            return field.default
        if field.default_factory is dataclasses.MISSING:
            raise TypeError(f"{made.__name__}() needs {field.name}")
        return field.default_factory()

    def _key(value: Any) -> tuple[Any, ...]:
        return tuple([getattr(value, name) for name in value.__dataclass_fields__])

    def __setattr__(self: Any, name: str, value: Any) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self: Any, name: str) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self: Any, other: object) -> bool:
        return _key(self) == _key(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: Any) -> int:
        return hash(_key(self))

    def __reduce__(self: Any) -> Any:
        return self.__class__, _key(self)

    def __repr__(self: Any) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__dataclass_fields__)
        return f"{self.__class__.__qualname__}({shown})"
