"""Profiles of training data: the number of examples, their lengths, and the number of repeats.

Everything in a profile is a sum, a union or a histogram of whole numbers, so that separately profiled and merged parts
equal the whole, whatever their order and grouping: any engine can map `profile_lines` and reduce with `merge`.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from hbspec.dataset.broken import Broken, Place
from hbspec.dataset.digests import DIGEST_BYTES, Digests, digest
from hbspec.dataset.files import DataFile, read_records
from hbspec.dataset.lines import MAX_LINE_BYTES, TOO_LONG, Watch
from hbspec.dataset.measures import Estimate, Measure, Tokens, UncountedError
from hbspec.dataset.readers import Reader
from hbspec.dataset.records import MESSAGES, Layout, Record, decoded
from hbspec.dataset.tally import Tallies
from hbspec.dataset.turns import rows_of
from hbspec.histogram import Histogram
from hbspec.manual.data import FILE, LINE
from hbspec.mixing import times, weight_of

AT_ONCE = 256
"""Largest number of examples, and number of bytes, in one batch for the tokenizer."""
BATCH_BYTES = 2**24


@dataclass(frozen=True, slots=True)
class DataProfile:
    """The profile of one split, or of a part of it.

    Attributes:
        examples: number of examples.
        distinct: number of different examples.
        broken_lines: number of lines that were left out.
        digest: sum of the examples' digests modulo 2^128, independent of their order.
        low: histogram of the fewest tokens that the examples may have; equal to `expected` if tokens were counted.
        expected: histogram of the expected tokens.
        high: histogram of the most tokens that the examples may have; equal to `expected` if tokens were counted.
        method: how tokens were counted.
        digests: the digests of the distinct examples, concatenated in order; None if the profile cannot be merged.
        layout: of all examples; None if there are none. A pair has the length of its longer row.
    """

    examples: int
    distinct: int
    broken_lines: int
    digest: int
    low: Histogram
    expected: Histogram
    high: Histogram
    method: str
    digests: bytes | None
    layout: Layout | None = MESSAGES

    @property
    def is_exact(self) -> bool:
        """Whether tokens were counted, not estimated."""
        return self.low == self.expected == self.high

    @property
    def is_part(self) -> bool:
        """Whether the profile can be merged."""
        return self.digests is not None

    def whole(self) -> DataProfile:
        """The profile without the digests, as a spec names it."""
        return replace(self, digests=None)

    def to_dict(self) -> dict[str, Any]:
        """The document that `hbspec data profile` writes and `data.profile` names.

        Raises:
            ValueError: it is of no example.
        """
        if not self.examples:
            raise ValueError("the profile contains no example")
        statistics = {name: _statistics(histogram) for name, histogram in self._histograms().items()}
        bounds = {key: [statistics["low"][key], statistics["high"][key]] for key in statistics["expected"]}
        shown = ("expected",) if self.is_exact else ("low", "expected", "high")
        document = {
            "format_version": 1,
            "examples": self.examples,
            "exact_duplicates": self.examples - self.distinct,
            "broken_lines": self.broken_lines,
            "tokens": {
                **statistics["expected"],
                **({} if self.is_exact else {"bounds": bounds}),
                "method": self.method,
            },
            "digest": digest_text(self.digest),
            "histogram": {
                name: {"tokens": list(histogram.lengths), "counts": list(histogram.counts)}
                for name, histogram in self._histograms().items()
                if name in shown
            },
        }
        if self.layout not in (None, MESSAGES):
            document["layout"] = self.layout._asdict()
        return document if self.digests is None else {**document, "digests": b64encode(self.digests).decode()}

    def text(self) -> str:
        """The document as JSON, one key per line.

        Raises:
            ValueError: it is of no example.
        """
        entries = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in self.to_dict().items()]
        return "{\n" + ",\n".join(entries) + "\n}\n"

    def _histograms(self) -> dict[str, Histogram]:
        return {"low": self.low, "expected": self.expected, "high": self.high}


def profile_data(
    files: Sequence[DataFile],
    measure: Measure | None = None,
    watch: Watch | None = None,
    reader: Reader | None = None,
    weights: Mapping[str, float] | None = None,
) -> tuple[DataProfile, Tallies]:
    """The profile of one split, with its digests, and the lines that were left out.

    Args:
        files: files of the split.
        measure: counts tokens; an estimate from bytes by default.
        watch: called with the number of bytes after each read.
        reader: makes the examples; one that takes the layout of the first example by default.
        weights: how often the examples of files and folders are in an epoch, as in a job.

    Raises:
        OSError: a file cannot be read.
    """
    make, shares = reader or Reader(), weights or {}
    found = (
        entry
        for file in files
        for entry in _repeated(read_records((file,), watch, make), weight_of(file.below, shares))
    )
    profile, tallies = _profile(found, measure or Estimate(), make)
    if profile.examples and (unseen := make.unseen_columns()):
        tallies.add(FILE, unseen, Place(files[0].name, 0), action=f"correct {make.naming.columns}")
    return profile, tallies


def _repeated(found: Iterable[Record | Broken], weight: Fraction) -> Iterator[Record | Broken]:
    """Each example as often as the weight says; what is broken once."""
    if weight == 1:
        yield from found
        return
    number = 0
    for entry in found:
        if isinstance(entry, Record):
            yield from [entry] * times(number, weight)
            number += 1
        else:
            yield entry


def profile_lines(
    lines: Iterable[bytes | str], measure: Measure | None = None, layout: Layout | None = None
) -> DataProfile:
    """The profile of these lines as a part, for engines that split files themselves.

    The result can be pickled, and merged by `merge`. Without a layout, the first line decides it. Lines that are not
    examples are counted and left out.
    """
    # engines that read text mark bytes outside UTF-8 with surrogates; encoding restores bytes that are not UTF-8
    plain = (line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line for line in lines)
    cut = (line if len(line) <= MAX_LINE_BYTES else TOO_LONG for line in plain)
    make = Reader(layout)
    found = (decoded(line, Place("lines", number), make) for number, line in enumerate(cut, 1))
    return _profile((entry for entry in found if entry is not None), measure or Estimate(), make)[0]


DIGEST_NAME = "blake2b-sum"


def digest_text(number: int) -> str:
    """A sum of examples' digests as written in a profile."""
    return f"{DIGEST_NAME}:{number % (1 << 8 * DIGEST_BYTES):0{2 * DIGEST_BYTES}x}"


def _profile(found: Iterable[Record | Broken], measure: Measure, reader: Reader) -> tuple[DataProfile, Tallies]:
    tallies, digests = Tallies("data"), Digests()
    low: Counter[int] = Counter()
    expected: Counter[int] = Counter()
    high: Counter[int] = Counter()
    total, broken = 0, 0
    for batch in _batches(found):
        records = []
        for entry in batch:
            if isinstance(entry, Record):
                records.append(entry)
            else:
                broken += 1
                tallies.broken(entry)
        for record, tokens in _measured(records, measure):
            if isinstance(tokens, str):
                broken += 1
                tallies.add(LINE, f"the model's chat template refuses the example ({tokens})", record.place)
                continue
            mark = digest(record.names, record.encoded)
            digests.add(mark)
            total += int.from_bytes(mark)
            for counter, number in zip((low, expected, high), tokens, strict=True):
                counter[max(number, 1)] += 1
    histograms = (Histogram.of(low), Histogram.of(expected), Histogram.of(high))
    total %= 1 << 8 * DIGEST_BYTES
    size = expected.total()
    marks, layout = bytes(digests), reader.layout
    return DataProfile(size, len(digests), broken, total, *histograms, measure.method, marks, layout), tallies


def _measured(records: list[Record], measure: Measure) -> Iterator[tuple[Record, tuple[int, int, int] | str]]:
    """Each example with its tokens, or with the reason why the chat template refuses it."""
    try:
        yield from zip(records, _longest(records, measure), strict=True)
    except UncountedError:
        for record in records:
            try:
                yield record, _longest([record], measure)[0]
            except UncountedError as reason:
                yield record, str(reason)


def _longest(records: Sequence[Record], measure: Measure) -> Sequence[Tokens]:
    """The tokens of each example, of its longest row if it has several."""
    if not any(record.layout.type == "preference" for record in records):
        return measure(records)
    several = [rows_of(record) for record in records]
    counts = iter(measure([row for rows in several for row in rows]))
    found = ([next(counts) for _ in rows] for rows in several)
    return [(max(low), max(expected), max(high)) for low, expected, high in (zip(*rows, strict=True) for rows in found)]


def _batches(found: Iterable[Record | Broken]) -> Iterator[list[Record | Broken]]:
    batch: list[Record | Broken] = []
    size = 0
    for entry in found:
        batch.append(entry)
        size += sum(map(len, entry.encoded)) if isinstance(entry, Record) else 0
        if len(batch) == AT_ONCE or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    yield batch


def _statistics(histogram: Histogram) -> dict[str, float]:
    last = histogram.size - 1
    return {
        "mean": round(histogram.mean, 1),
        "p50": histogram.at(last // 2),
        "p95": histogram.at(round(0.95 * last)),
        "max": histogram.longest,
    }
