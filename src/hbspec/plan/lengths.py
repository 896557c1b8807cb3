"""Token lengths of the examples, which determine time and cost, unlike the cap `max_length`."""

from __future__ import annotations

from math import ceil, sqrt
from typing import NamedTuple

from hbspec.histogram import Histogram
from hbspec.spec import Spec
from hbspec.units import Interval

SHORTEST_PLAUSIBLE_EXAMPLE = 32
"""The shortest mean length considered where lengths are unknown, in tokens: a template and a one-line answer."""

Spread = tuple[Histogram, Histogram, Histogram]
"""Histograms of the lengths at the fewest, expected and most tokens; all three the same where tokens are counted."""


class Profile(NamedTuple):
    """The profile of one split, as written by `hbspec data profile`.

    Attributes:
        examples: number of lines that hold a valid example.
        mean: mean tokens per example, an interval where the tokenizer was not available.
        longest: tokens of the longest example, likewise.
        method: how tokens were counted.
        digest: identifies the data, independent of order.
        histograms: histograms of the lengths; None in older profiles.
        layout: the dataset type and the format of the examples.
    """

    examples: int
    exact_duplicates: int
    mean: Interval
    longest: Interval
    method: str
    digest: str
    histograms: Spread | None = None
    layout: tuple[str, str] = ("language_modeling", "conversational")


class Lengths(NamedTuple):
    """Token lengths of the examples, before truncation at `max_length`.

    With a histogram, padding, packing and truncation are the averages over shuffled epochs. Without one, lengths are
    modelled as U^a times the longest for a uniform U, which has the right mean for a = longest / mean - 1.

    Attributes:
        mean: mean tokens per example.
        longest: tokens of the longest example.
        source: the origin of the lengths, in words.
        known: False where nothing was measured and the interval is everything that `max_length` allows.
        histograms: histograms of all lengths; None without a profile that has them.
        left_out: whether an example that is longer than a cap is left out, and not truncated.
    """

    mean: Interval
    longest: Interval
    source: str
    known: bool
    histograms: Spread | None = None
    left_out: bool = False

    def kept(self, max_length: int) -> Interval:
        """The share of the examples that `max_length` leaves: all where longer ones are truncated.

        Exact with a histogram of counted lengths. Without a histogram the share is that of the model above,
        (max_length / longest)^(1 / a), and at least 1 - mean / max_length, by Markov's inequality.
        """
        if not self.left_out or self.longest.high <= max_length:
            return Interval.exact(1.0)
        if self.histograms is not None:
            few, expected, many = (1 - one.above(max_length) / one.size for one in reversed(self.histograms))
            return Interval(few, expected, many)
        low = max(0.0, 1 - self.mean.high / max_length)
        share = min(1.0, max_length / self.longest.expected)
        return _ordered(low, max(low, share ** (1 / self._power) if self._power > 0 else float(share == 1)), 1.0)

    def cut(self, max_length: int) -> Lengths:
        """The lengths after `max_length`: exact with a histogram of counted lengths.

        Without a histogram, truncation caps mean and longest, and the mean is too high where only some examples are
        truncated.
        """
        if self.left_out and self.longest.high > max_length:
            return self._within(max_length)
        if self.histograms is not None:
            return _of_histograms(_each(self.histograms, max_length), self.source)
        return Lengths(
            self.mean.map(lambda tokens: min(tokens, max_length)),
            self.longest.map(lambda tokens: min(tokens, max_length)),
            self.source,
            self.known,
        )

    def padded(self, micro_batch: int) -> Interval:
        """Tokens per row when `micro_batch` examples are padded to the longest of them: E[max].

        With a histogram, `Histogram.padded`: an example is drawn once per epoch, so draws are without replacement. Else
        E[max] = l m / (m + a) for the longest l, m draws and a as above, between the mean and the longest. Left out:
        the last micro-batch of an epoch, which may be smaller, `group_by_length` and `pad_to_multiple_of`.
        """
        if self.histograms is not None:
            return _ordered(*(histogram.padded(micro_batch) for histogram in self.histograms))
        if micro_batch == 1:
            return self.mean
        longest = self.longest.expected
        expected = longest * micro_batch / (micro_batch + self._power)
        return Interval(self.mean.low, expected, self.longest.high)

    def padded_square(self, micro_batch: int) -> float:
        """The expected square of the tokens per padded row, E[max²], in tokens²; the work of attention grows with it.

        With a histogram, `Histogram.padded_square`; else l² m / (m + 2 a). At `micro_batch` 1, this is the mean of the
        squared lengths of the examples.
        """
        if self.histograms is not None:
            return self.histograms[1].padded_square(micro_batch)
        return self.longest.expected**2 * micro_batch / (micro_batch + 2 * self._power)

    def unevenness(self, micro_batch: int, mean: float) -> float:
        """The mean square of the tokens per padded row over the square of their mean, at least 1."""
        return max(1.0, self.padded_square(micro_batch) / mean**2)

    def completed(self, cap: int) -> Lengths:
        """The lengths of rows of these prompts, each with a completion of at most `cap` tokens.

        How long completions are is not known before they are generated: their mean is between that of one-line answers
        and the cap, expected at their geometric mean, and the longest are expected to be stopped at the cap.
        """
        short = min(SHORTEST_PLAUSIBLE_EXAMPLE, cap)
        return Lengths(
            Interval(self.mean.low + short, self.mean.expected + sqrt(short * cap), self.mean.high + cap),
            Interval(self.longest.low + short, self.longest.expected + cap, self.longest.high + cap),
            f"{self.source}; completions of {short} to {cap} tokens",
            known=False,
        )

    def packed(self, capacity: int, examples: int, *, best_fit: bool) -> Interval:
        """Rows of `capacity` tokens for `examples` examples: fewer of short ones, more of long ones.

        By best fit, longer examples are truncated, and rows are those of `Histogram.packed`, or full where no lengths
        are known; otherwise examples follow one another and are split where a row is full.
        """
        lengths = self.cut(capacity) if best_fit else self
        if lengths.histograms is None or not best_fit:
            return lengths.mean.map(lambda tokens: max(1, ceil(examples * tokens / capacity)))
        rows = (
            max(1, ceil(histogram.packed(capacity) * examples / histogram.size)) for histogram in lengths.histograms
        )
        return _ordered(*rows)

    def packed_row(self, capacity: int) -> Interval:
        """Real tokens per packed row: TRL packs without padding, so the space left by best fit is not computed.

        Source: TRL 1.16, `SFTTrainer.padding_free`, on for `packing_strategy="bfd"`.
        """
        if self.histograms is None:
            return Interval.exact(capacity)
        rows = (histogram.cut(capacity).total / histogram.packed(capacity) for histogram in self.histograms)
        low, expected, high = sorted(rows)
        return Interval(low, expected, high)

    @property
    def _power(self) -> float:
        return self.longest.expected / self.mean.expected - 1

    def _within(self, cap: int) -> Lengths:
        """The lengths of the examples that are not longer than `cap`; of one of `cap` tokens where none may be left.

        Of lengths between two histograms, those that are left are at least as many as of the higher one, and at most as
        many as of the lower one; they are between so many of the shortest of either.
        """
        if self.histograms is None:
            expected = min(cap / (1 + self._power), self.mean.expected, cap)
            high = max(expected, min(self.mean.high, cap))
            mean = Interval(min(SHORTEST_PLAUSIBLE_EXAMPLE, expected), expected, high)
            return self._replace(mean=mean, longest=self.longest.map(lambda tokens: min(tokens, cap)))
        low, usual, most = self.histograms
        left = usual.shortest(_within(usual, cap)).cut(cap)
        if low is most:
            return _of_histograms((left, left, left), self.source)
        fewest, longest = low.shortest(_within(most, cap)).cut(cap), most.cut(cap).shortest(_within(low, cap))
        return _of_histograms((fewest, left, longest), self.source)


def _within(histogram: Histogram, cap: int) -> int:
    """The examples of at most `cap` tokens, but at least one."""
    return max(1, histogram.size - histogram.above(cap))


def _each(histograms: Spread, cap: int) -> Spread:
    low, expected, high = histograms
    # counted lengths have one histogram, so only one is cut
    return (cut := expected.cut(cap), cut, cut) if low is high else (low.cut(cap), expected.cut(cap), high.cut(cap))


def _ordered(low: float, expected: float, high: float) -> Interval:
    """The interval of three numbers that are in order except for rounding."""
    return Interval(min(low, expected), expected, max(expected, high))


def _of_histograms(histograms: Spread, source: str) -> Lengths:
    low, expected, high = histograms
    return Lengths(
        Interval(low.mean, expected.mean, high.mean),
        Interval(low.longest, expected.longest, high.longest),
        source,
        known=True,
        histograms=histograms,
    )


def unknown_lengths(max_length: int, cap: str = "max_length") -> Lengths:
    """All lengths that a cap allows: means from a one-line answer to the cap, expected at their geometric mean.

    Args:
        max_length: the cap, tokens.
        cap: its name, for people.
    """
    low = min(SHORTEST_PLAUSIBLE_EXAMPLE, max_length)
    return Lengths(
        Interval(low, sqrt(low * max_length), max_length),
        Interval(low, max_length, max_length),
        f"not known (neither data.profile nor data.tokens is set): {low} to {cap}",
        known=False,
    )


def given_lengths(mean: float, longest: float) -> Lengths:
    """Lengths from `data.tokens`, taken as exact."""
    return Lengths(Interval.exact(mean), Interval.exact(longest), "data.tokens", known=True)


def profiled_lengths(profile: Profile) -> Lengths:
    """Lengths from a profile."""
    source = f"data.profile ({profile.method})"
    if profile.histograms is not None:
        return _of_histograms(profile.histograms, source)
    return Lengths(profile.mean, profile.longest, source, known=True)


def known_lengths(spec: Spec, profile: Profile | None) -> Lengths | None:
    """The lengths of the examples as the spec says them, else as its profile does; None where neither does."""
    if spec.data.tokens is not None:
        return given_lengths(spec.data.tokens.mean, spec.data.tokens.max)
    return None if profile is None else profiled_lengths(profile)
