"""What lies in the memory of GPUs and hosts and on disks, and what of it the software decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from hbspec.estimators.job.host import Host
from hbspec.estimators.job.storage import Storage
from hbspec.estimators.training.memory import DeviceMemory, Memory
from hbspec.estimators.verdict import Verdict, worst
from hbspec.render.bars import LEGEND, Filling, bar, letters
from hbspec.render.lines import Line, wrapped
from hbspec.render.rows import LEAD, Row, rows, section
from hbspec.render.settings import settings_text
from hbspec.search.software import Dependence
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
"""Share of a GPU's tensors below which a term is summed up with others like it."""


def memory_lines(memory: Memory, width: int | None) -> Iterator[Line]:
    """A bar for each GPU, those that are alike as one, with its terms, its room and its verdict."""
    yield from section("Memory", width, *VERDICTS[memory.verdict])
    sizes: dict[str, int] = {}
    for device in memory.devices:
        for name, size in device.terms.items():
            sizes[name] = sizes.get(name, 0) + size
    letter = letters(sorted(sizes, key=lambda name: -sizes[name]))
    alike = groupby(memory.devices, key=lambda device: {**device.to_dict(), "index": None})
    for group in [list(group) for _, group in alike]:
        first, last = group[0], group[-1]
        name = f"GPU {first.index}" if first is last else f"each of GPU {first.index} to {last.index}"
        yield from wrapped(((("", f"{LEAD}{name}: "), *_of_usable(first))), width, 2 * len(LEAD))
        filling = Filling(first.terms, first.process.expected, first.process.high, first.usable)
        yield from filled(filling, letter, width)
    yield from wrapped((("faint", LEAD + LEGEND),), width, 2 * len(LEAD))


def filled(filling: Filling, letter: Mapping[str, str], width: int | None) -> Iterator[Line]:
    """The bar, and what its letters stand for, the largest first."""
    if not filling.high:
        return
    columns = min(WIDEST_BAR, (width or WIDEST_BAR) - len(LEAD))
    largest_first = dict(sorted(filling.terms.items(), key=lambda term: -term[1]))
    shown = Filling(largest_first, filling.expected, filling.high, filling.usable)
    yield (("", LEAD), *bar(shown, letter, columns))
    worth_a_word = {name: size for name, size in largest_first.items() if size >= SMALL * sum(filling.terms.values())}
    terms = [f"{letter[name]} {words(name)} {bytes_text(size)}" for name, size in worth_a_word.items()]
    if rest := sum(size for name, size in largest_first.items() if name not in worth_a_word):
        terms.append(f"smaller ones {bytes_text(rest)}")
    if terms:
        yield from wrapped((("", f"{LEAD}{LEAD}{', '.join(terms)}"),), width, 2 * len(LEAD))


def host_lines(host: Host | None, storage: Storage | None, width: int | None) -> Iterator[Line]:
    """Memory and disk of one host."""
    parts = [part for part in (host, storage) if part is not None]
    if not parts:
        return
    yield from section("Host", width, *VERDICTS[worst(part.verdict for part in parts)])
    yield from rows(_host(host, storage), width)


def software_lines(dependences: Iterable[Dependence], width: int | None) -> Iterator[Line]:
    """Facts that the trainer and versions decide, each with the bytes of the opposite."""
    entries = [_dependence(entry) for entry in dependences]
    if entries:
        yield from section("Software that memory rests on", width)
        yield from rows(entries, width)


def words(name: str) -> str:
    """The name of a term as people read it."""
    return name.replace("_", " ")


def _of_usable(device: DeviceMemory) -> Line:
    word, style = VERDICTS[device.verdict]
    if not device.process.high:
        return (("faint", "no process uses it"),)
    process = interval_text(device.process, bytes_text)
    if device.usable is None:
        return ((style, word), ("", f", {process}, at its fullest in the {device.moment}"))
    room = device.usable - device.process.expected
    left = f"{bytes_text(room)} left" if room >= 0 else f"{bytes_text(-room)} too much"
    text = f", {process} of {bytes_text(device.usable)} usable, {left}, fullest at {device.moment}"
    return ((style, word), ("", text))


def _host(host: Host | None, storage: Storage | None) -> Iterator[Row]:
    if host is not None:
        yield "memory", interval_text(host.memory, bytes_text), _of(host.capacity, "", host.terms)
    if storage is not None:
        more = ", perhaps local storage too" if storage.perhaps_more else ""
        place = "" if storage.place == "disk" else f" ({storage.place}{more})"
        yield "disk", interval_text(storage.needed, bytes_text), _of(storage.capacity, place, storage.terms)


def _of(capacity: int | None, place: str, terms: Mapping[str, Interval]) -> str:
    room = "of a size that is not known" if capacity is None else f"of {bytes_text(capacity)}{place}"
    largest = sorted(terms.items(), key=lambda term: -term[1].expected)
    return f"{room}: {', '.join(f'{words(name)} {bytes_text(size.expected)}' for name, size in largest)}"


def _dependence(entry: Dependence) -> Row:
    size = entry.peak_allocated_bytes
    change = f"{'+' if size > 0 else '-'}{bytes_text(abs(size))}"
    return printable(entry.software), entry.fact, f"{change} with {settings_text(entry.other)}"
