"""The chapter on memory: each kind of GPU at each moment of the job, beside what it can use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from hbspec.diagnostics import NotKnownError
from hbspec.estimators.training.by_moment import by_moment
from hbspec.estimators.training.devices import DeviceMemory, Memory
from hbspec.estimators.weights import EMBEDDING, HEAD, QUANTIZED_TOWER, TOWER
from hbspec.language import phrase, spoken, together
from hbspec.render.answer import answer
from hbspec.render.memory import VERDICTS, host_rows, words
from hbspec.reporting.chapter import Chapter, Drawing, Listing, Statement, listing_of
from hbspec.reporting.charts import ROW, Layer, category, colour_of, layered, limit, quantity, whiskers
from hbspec.reporting.colours import variable
from hbspec.showing.moments import PEAKS
from hbspec.units import GB, bytes_text

if TYPE_CHECKING:
    from hbspec.api import Estimates

PASSING, BESIDE = "activations and temporaries", "context and reserve"
GROUPS: Mapping[str, frozenset[str]] = {
    "weights": frozenset(
        {
            *(EMBEDDING, HEAD, TOWER, QUANTIZED_TOWER, "experts", "linear_weights", "norms_and_biases"),
            *("quantized_weights", "quantization_scales", "gathered_weights", "persistent_parameters", "shards"),
        }
    ),
    "adapters and master weights": frozenset({"adapters", "master_weights"}),
    "optimizer states": frozenset({"optimizer_states", "optimizer_temporaries"}),
    "gradients": frozenset({"gradients", "gradient_buckets", "reduction_copy"}),
}
"""Terms that are drawn as one; all others are `PASSING`."""
SHARES = (*GROUPS, PASSING, BESIDE)
WHOLE = "whole process, at its peak"
MOST_KINDS = 2
"""Kinds of GPUs of which every moment is drawn; of more, only the fullest."""


class _Bar(NamedTuple):
    gpus: str
    moment: str
    shares: Mapping[str, float]

    @property
    def name(self) -> str:
        moment = spoken(self.moment)
        return phrase("{gpus}: {moment}", gpus=self.gpus, moment=moment) if self.gpus else moment


def memory_chapter(estimates: Estimates) -> Chapter:
    """Verdict, chart, tables by moment and by GPU, the terms of the fullest GPU, and the host."""
    memory, said = estimates.memory, next(answer(estimates))
    blocks: list[Statement | Listing | Drawing] = [Statement(said.text, said.style)]
    if memory is not None:
        groups = _groups(memory)
        shown = list(_bars(estimates, groups))
        blocks += [_drawing(memory, groups, shown), _by_moment(shown), _by_gpu(groups), _terms(memory.fullest)]
    host = tuple(host_rows(estimates.host, estimates.storage))
    if host:
        blocks.append(listing_of(phrase("The host's memory and disk"), host))
    return Chapter("memory", phrase("Memory"), blocks)


def _groups(memory: Memory) -> list[tuple[str, DeviceMemory]]:
    """GPUs that are alike under one name, as in `GPUs 0-7, each`; those that no process uses are left out."""
    alike = groupby(memory.devices, key=lambda device: {**device.to_dict(), "index": None})
    groups = [list(group) for _, group in alike]
    return [(_named(group), group[0]) for group in groups if group[0].process.high]


def _named(group: list[DeviceMemory]) -> str:
    first, last = group[0].index, group[-1].index
    return f"GPU {first}" if first == last else phrase("GPUs {first}-{last}, each", first=first, last=last)


def _bars(estimates: Estimates, groups: list[tuple[str, DeviceMemory]]) -> Iterator[_Bar]:
    """Tensors at each moment, where they are known, and the process at its peak."""
    try:
        moments = by_moment(estimates.plan)
    except NotKnownError:  # bounds of a model that is not modelled: its peak alone is known
        moments = ()
    fullest = max((device for _, device in groups), key=lambda device: device.process.expected, default=None)
    for name, device in groups:
        shown = name if len(groups) > 1 else ""
        found = {moment.name: moment for moment in moments[device.index]} if moments else {}
        if len(groups) <= MOST_KINDS or device is fullest:
            for moment in (moment for moment in PEAKS if moment in found):
                yield _Bar(
                    shown, phrase("tensors {moment}", moment=spoken(PEAKS[moment])), _shares(found[moment].terms)
                )
        beside = max(0.0, device.process.expected - sum(device.terms.values()))
        yield _Bar(shown, WHOLE, {**_shares(device.terms), BESIDE: beside})


def _shares(terms: Mapping[str, int]) -> dict[str, float]:
    """Bytes of each group of terms."""
    found = dict.fromkeys(SHARES, 0.0)
    for name, size in terms.items():
        found[next((group for group, names in GROUPS.items() if name in names), PASSING)] += size
    return found


def _drawing(memory: Memory, groups: list[tuple[str, DeviceMemory]], shown: list[_Bar]) -> Drawing:
    values = [
        {"name": bar.name, "share": spoken(share), "order": SHARES.index(share), "size": size / GB}
        for bar in shown
        for share, size in bar.shares.items()
        if size
    ]
    stacked: Layer = {
        "data": {"values": values},
        "mark": {"type": "bar", "height": {"band": 0.7}, "stroke": variable("paper"), "strokeWidth": 1},
        "encoding": {
            "x": quantity("size", spoken("GB"), stack="zero"),
            "y": category("name"),
            "color": colour_of("share", map(spoken, SHARES)),
            "order": {"field": "order", "type": "quantitative"},
        },
    }
    ends = [
        {"name": bar.name, "low": device.process.low / GB, "high": device.process.high / GB}
        for (_, device), bar in zip(groups, (bar for bar in shown if bar.moment == WHOLE), strict=True)
    ]
    usable = memory.fullest.usable
    line = [] if usable is None else limit(usable / GB, phrase("usable: {size}", size=bytes_text(usable)))
    chart = layered(stacked, whiskers(ends), *line, height=ROW * len(shown), width=480)
    beyond = "The usable memory is not known." if usable is None else "The dashed line is the usable memory."
    bars = phrase("Stacked bars: what a GPU holds at each moment. The thin line spans low to high.")
    return Drawing(phrase("Memory of a GPU by moment"), together(bars, " ", spoken(beyond)), chart)


def _by_moment(shown: list[_Bar]) -> Listing:
    """The numbers of the chart."""
    used = [share for share in SHARES if any(bar.shares.get(share) for bar in shown)]
    rows = [
        (bar.name, *(bytes_text(bar.shares.get(share, 0)) for share in used), bytes_text(sum(bar.shares.values())))
        for bar in shown
    ]
    headings = (phrase("Moment"), *(_capitalised(spoken(name)) for name in used), phrase("Sum"))
    return Listing(phrase("Memory by moment, as expected"), headings, rows)


def _capitalised(name: str) -> str:
    return name[:1].upper() + name[1:]


def _by_gpu(groups: list[tuple[str, DeviceMemory]]) -> Listing:
    rows = [
        (
            name,
            spoken(VERDICTS[device.verdict][0]),
            *(bytes_text(end) for end in (device.process.low, device.process.expected, device.process.high)),
            phrase("not known") if device.usable is None else bytes_text(device.usable),
            spoken(PEAKS.get(device.moment, device.moment.replace("_", " "))),
        )
        for name, device in groups
    ]
    headings = ("GPU", "Verdict", "Low", "Expected", "High", "Usable", "Peak")
    return Listing(phrase("The process on each GPU"), tuple(map(spoken, headings)), rows)


def _terms(device: DeviceMemory) -> Listing:
    largest = sorted(device.terms.items(), key=lambda term: -term[1])
    rows = [(words(name), bytes_text(size)) for name, size in largest]
    return Listing(phrase("Tensors of the fullest GPU at its peak"), (phrase("Tensors"), phrase("Bytes")), rows)
