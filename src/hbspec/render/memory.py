"""Memory of GPUs and hosts, disk, and the effect of library versions on memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from hbspec.estimators.job.host import Host
from hbspec.estimators.job.storage import Storage
from hbspec.estimators.training.devices import DeviceMemory, Memory
from hbspec.estimators.verdict import Verdict, worst
from hbspec.language import phrase, spoken, together
from hbspec.render.bars import LEGEND, Filling, bar, letters
from hbspec.render.lines import Line, wrapped
from hbspec.render.rows import LEAD, Row, rows, section
from hbspec.render.settings import assignments
from hbspec.search.software import Dependence
from hbspec.showing.moments import PEAKS
from hbspec.source.excerpts import printable
from hbspec.units import Interval, bytes_text, interval_text

VERDICTS = {
    Verdict.FITS: ("fits", "good"),
    Verdict.TIGHT: ("tight", "open"),
    Verdict.DOES_NOT_FIT: ("does not fit", "bad"),
    Verdict.UNKNOWN: ("not known", "open"),
}
WIDEST_BAR = 72
SMALL = 0.005
"""The share of a GPU's tensors below which small terms are shown as one sum."""


def memory_lines(memory: Memory, width: int | None) -> Iterator[Line]:
    """A bar for each GPU, identical ones together, with its verdict, its memory and its terms."""
    yield from section("Memory", width, *VERDICTS[memory.verdict])
    sizes: dict[str, int] = {}
    for device in memory.devices:
        for name, size in device.terms.items():
            sizes[name] = sizes.get(name, 0) + size
    letter = letters(sorted(sizes, key=lambda name: -sizes[name]))
    alike = groupby(memory.devices, key=lambda device: {**device.to_dict(), "index": None})
    for group in [list(group) for _, group in alike]:
        first, last = group[0], group[-1]
        name = f"GPU {first.index}" if first is last else f"GPUs {first.index}-{last.index}, each"
        yield from wrapped(((("", f"{LEAD}{name}: "), *_of_usable(first))), width, 2 * len(LEAD))
        filling = Filling(first.terms, first.process.expected, first.process.high, first.usable)
        yield from filled(filling, letter, width)
    yield from wrapped((("faint", LEAD + LEGEND),), width, 2 * len(LEAD))


def filled(filling: Filling, letter: Mapping[str, str], width: int | None) -> Iterator[Line]:
    """The bar, and the terms that its letters stand for, the largest first."""
    if not filling.high:
        return
    columns = min(WIDEST_BAR, (width or WIDEST_BAR) - len(LEAD))
    largest_first = dict(sorted(filling.terms.items(), key=lambda term: -term[1]))
    shown = Filling(largest_first, filling.expected, filling.high, filling.usable)
    yield (("", LEAD), *bar(shown, letter, columns))
    worth_a_word = {name: size for name, size in largest_first.items() if size >= SMALL * sum(filling.terms.values())}
    terms = [f"{letter[name]} {words(name)} {bytes_text(size)}" for name, size in worth_a_word.items()]
    if rest := sum(size for name, size in largest_first.items() if name not in worth_a_word):
        terms.append(f"other terms {bytes_text(rest)}")
    if terms:
        yield from wrapped((("", f"{LEAD}{LEAD}{', '.join(terms)}"),), width, 2 * len(LEAD))


def host_lines(host: Host | None, storage: Storage | None, width: int | None) -> Iterator[Line]:
    """The section on the memory and disk of one host."""
    parts = [part for part in (host, storage) if part is not None]
    if not parts:
        return
    yield from section("Host", width, *VERDICTS[worst(part.verdict for part in parts)])
    yield from rows(host_rows(host, storage), width)


def software_lines(dependences: Iterable[Dependence], width: int | None) -> Iterator[Line]:
    """Facts that the trainer and library versions decide, each with the change in bytes under the opposite."""
    entries = [_dependence(entry) for entry in dependences]
    if entries:
        yield from section("Memory depends on library versions", width)
        yield from rows(entries, width)


def words(name: str) -> str:
    """The name of a term in words: with spaces for underscores."""
    return spoken(name.replace("_", " "))


def _of_usable(device: DeviceMemory) -> Line:
    word, style = VERDICTS[device.verdict]
    if not device.process.high:
        return (("faint", "not used by any process"),)
    of = "" if device.usable is None else f" of {bytes_text(device.usable)} usable"
    peak = PEAKS.get(device.moment, f"at {words(device.moment)}")
    return ((style, word), ("", f". {_expected(device.process)}{of}; peak {peak}"))


def _expected(size: Interval) -> str:
    """`"19.1 GB expected (15.5 to 23.3)"`: an interval of bytes, with its unit once where it is the same."""
    low, expected, high = (bytes_text(end) for end in (size.low, size.expected, size.high))
    if low == high:
        return f"{expected} expected"
    unit = expected[expected.index(" ") :]
    if low.endswith(unit) and high.endswith(unit):
        low, high = low.removesuffix(unit), high.removesuffix(unit)
    return f"{expected} expected ({low} to {high})"


def host_rows(host: Host | None, storage: Storage | None) -> Iterator[Row]:
    """The memory and the disk of one host, as far as they are known."""
    if host is not None:
        yield "memory", interval_text(host.memory, bytes_text), _of(host.capacity, "", host.terms)
    if storage is not None:
        more = phrase(", possibly local storage as well") if storage.perhaps_more else ""
        place = "" if storage.place == "disk" else together(" (", spoken(storage.place), more, ")")
        yield "disk", interval_text(storage.needed, bytes_text), _of(storage.capacity, place, storage.terms)


def _of(capacity: int | None, place: str, terms: Mapping[str, Interval]) -> str:
    largest = sorted(terms.items(), key=lambda term: -term[1].expected)
    held = ", ".join(f"{words(name)} {bytes_text(size.expected)}" for name, size in largest)
    if capacity is None:
        return phrase("capacity not known{place}: {held}", place=place, held=held)
    return phrase("of {capacity}{place}: {held}", capacity=bytes_text(capacity), place=place, held=held)


def _dependence(entry: Dependence) -> Row:
    size = entry.peak_allocated_bytes
    change = f"{'+' if size > 0 else '-'}{bytes_text(abs(size))}"
    return printable(entry.software), entry.fact, f"{change} with {assignments(entry.other)}"
