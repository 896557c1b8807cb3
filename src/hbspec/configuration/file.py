"""Reading `hbspec.toml`, or the table `tool.hbspec` of a `pyproject.toml`.

Keys:

    select = ["HB1", "HB3"]                      # report these codes only
    ignore = ["HB206"]                           # and never these
    severity = {HB305 = "error"}                 # "error", "warning" or "note"
    per-file-ignores = {"specs/old-*" = ["HB4"]} # by file name
    strict = true                                # warnings fail, too
    catalog = "prices.json"                      # prices that `hbspec catalog refresh prices` wrote
    policy = "policy.yaml"                       # what the organisation allows
    baseline = "hbspec-baseline.json"            # findings that are known, and only counted
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hbspec.configuration.configuration import ALWAYS, Configuration, ConfigurationError
from hbspec.configuration.place import LARGEST, SHARED
from hbspec.diagnostics import Confidence, Diagnostic, Route, Severity
from hbspec.manual import words
from hbspec.manual.configuration import UNUSABLE
from hbspec.showing.secrets import redact
from hbspec.spelling import nearest

TABLE = ("tool", "hbspec")


def read(file: Path) -> Configuration:
    """The configuration that a file holds.

    Raises:
        ConfigurationError: the file cannot be read, is not TOML, or has a key or value that is not understood.
    """
    table = _table(file)
    reading = ConfigurationReading(file)
    values = {key: reading.value(key, value) for key, value in table.items()}
    if reading.faults:
        raise ConfigurationError(tuple(reading.faults))
    return Configuration(
        folder=file.parent.resolve(), **{key.replace("-", "_"): value for key, value in values.items()}
    )


def codes(option: str, given: Sequence[str], *, silenced: bool = False) -> tuple[str, ...]:
    """The words of an option, each of which names codes; of `silenced` ones none that is reported whatever is chosen.

    Raises:
        ConfigurationError: a word does not.
    """
    reading = ConfigurationReading(Path())
    chosen = (reading.silenced if silenced else reading.selected)((option,), list(given))
    if reading.faults:
        raise ConfigurationError(tuple(reading.faults))
    return chosen


def _table(file: Path) -> Mapping[str, Any]:
    import tomllib  # which few folders need

    try:
        with file.open("rb") as opened:
            values: Any = tomllib.loads(opened.read(LARGEST).decode())
    except OSError as reason:
        raise _refused(file, f"cannot be read: {reason.strerror}", "name a readable file with --config") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as reason:
        raise _refused(file, f"is not TOML: {reason}", "correct the text") from None
    for part in TABLE if file.name == SHARED else ():
        values = values.get(part, {}) if isinstance(values, Mapping) else {}
    if not isinstance(values, Mapping):
        raise _refused(file, "has a `tool.hbspec` that is not a table", "write [tool.hbspec] and keys below it")
    return values


def _refused(file: Path, what: str, action: str) -> ConfigurationError:
    return ConfigurationError((_fault(file, (), f"{file} {what}", action),))


def _fault(file: Path, route: Route, message: str, action: str) -> Diagnostic:
    return Diagnostic(
        code=UNUSABLE.code,
        name=UNUSABLE.name,
        severity=Severity.ERROR,
        confidence=Confidence.CERTAIN,
        file=redact(str(file)),
        route=route,
        span=None,
        message=redact(message),
        help=action,
    )


def _why_always(code: str) -> str:
    """Why a code is reported whatever is configured."""
    if code < "HB1":
        return "a spec that cannot be read is not judged"
    return "a credential is always an error" if code == "HB605" else "a policy is not the author's to waive"


class ConfigurationReading:
    """The values of one file, and all that is wrong with them."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.faults: list[Diagnostic] = []
        self.known = words()

    def value(self, key: str, value: Any) -> Any:
        """The value of a key as `Configuration` takes it; anything where it is wrong, which `faults` then tells."""
        readers: dict[str, Callable[[Route, Any], Any]] = {
            "select": self.selected,
            "ignore": self.silenced,
            "severity": self._severities,
            "per-file-ignores": self._per_file,
            "strict": self._switch,
            "catalog": self._file_name,
            "policy": self._file_name,
            "baseline": self._file_name,
        }
        if key in readers:
            return readers[key]((key,), value)
        alike = nearest(key, readers)
        self._wrong((key,), f"{key} is not a key", f"use {alike}" if alike else f"keys are {', '.join(readers)}")
        return None

    def _wrong(self, route: Route, message: str, action: str) -> None:
        self.faults.append(_fault(self.file, route, message, action))

    def selected(self, route: Route, value: Any) -> tuple[str, ...]:
        """A list of words for codes."""
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            self._wrong(route, f"{value!r} is not a list of codes", 'write codes as in ["HB109", "HB3"]')
            return ()
        for word in value:
            self._known(route, word)
        return tuple(value)

    def silenced(self, route: Route, value: Any) -> tuple[str, ...]:
        """A list of words for codes that need not be reported."""
        chosen = self.selected(route, value)
        for word in chosen:
            self._may_change(route, word)
        return chosen

    def _known(self, route: Route, word: str) -> None:
        if any(word == one or (word.startswith("HB") and one.startswith(word)) for one in self.known):
            return
        alike = None if word.startswith("HB") else nearest(word, self.known)
        action = f"did you mean {alike}?" if alike else "`hbspec rules` lists all codes and names"
        self._wrong(route, f"{word} is neither a code nor a name", action)

    def _may_change(self, route: Route, word: str) -> None:
        """A fault where a code or a name stays as it is; the beginning of several leaves out those that do."""
        from hbspec.manual import page_of

        page = page_of(word)
        if page is not None and ALWAYS.fullmatch(page.code):
            self._wrong(route, f"{word} cannot be changed: {_why_always(page.code)}", "delete it")

    def _severities(self, route: Route, value: Any) -> tuple[tuple[str, Severity], ...]:
        chosen = []
        for word, severity in self._entries(route, value, '{HB305 = "error"}'):
            self._known((*route, word), word)
            self._may_change((*route, word), word)
            if severity in list(Severity):
                chosen.append((word, Severity(severity)))
            else:
                self._wrong((*route, word), f"{severity!r} is not a severity", "use error, warning or note")
        return tuple(chosen)

    def _per_file(self, route: Route, value: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
        entries = self._entries(route, value, '{"specs/old-*" = ["HB4"]}')
        return tuple((pattern, self.silenced((*route, pattern), chosen)) for pattern, chosen in entries)

    def _entries(self, route: Route, value: Any, example: str) -> Iterator[tuple[str, Any]]:
        if isinstance(value, Mapping):
            yield from value.items()
        else:
            self._wrong(route, f"{value!r} is not a table", f"write it as in {route[0]} = {example}")

    def _switch(self, route: Route, value: Any) -> bool:
        if not isinstance(value, bool):
            self._wrong(route, f"{value!r} is not true or false", "use true or false")
        return bool(value)

    def _file_name(self, route: Route, value: Any) -> Path | None:
        if not isinstance(value, str):
            self._wrong(route, f"{value!r} is not a file name", "give the path of a file, relative to this one")
            return None
        return self.file.parent / value
