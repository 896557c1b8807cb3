"""What a plan has to know of the data: how many examples, how long, how many twice.

Without the model's tokenizer, tokens are estimated from bytes of UTF-8. The ratios were measured on the HeartBeat
examples (English prose with Markdown) with Qwen's published vocabulary: 5.02 bytes a token over all, 4.43 to 5.64 for
single examples; other prose, numbers and code need more tokens, so the interval reaches further down. Other languages
are outside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from hbspec.dataset.records import Record, read_records
from hbspec.diagnostics import Finding
from hbspec.units import Interval

BYTES_PER_TOKEN = Interval(4.2, 4.9, 5.7)
TEMPLATE_TOKENS = Interval(1.0, 2.0, 5.0)
"""A message's share of the chat template: R1's spends about one, ChatML five."""
METHOD = "estimated from UTF-8 bytes, 4.2 to 5.7 a token; no tokenizer"
DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class DataProfile:
    """One split. `tokens` are those of an example; `digest` does not depend on the order of the examples."""

    examples: int
    exact_duplicates: int
    broken_lines: int
    mean: Interval
    p50: Interval
    p95: Interval
    longest: Interval
    digest: str

    @property
    def _tokens(self) -> dict[str, Interval]:
        return {"mean": self.mean, "p50": self.p50, "p95": self.p95, "max": self.longest}

    def to_dict(self) -> dict[str, Any]:
        """The document that `hbspec data profile` writes and `data.profile` names."""
        return {
            "format_version": 1,
            "examples": self.examples,
            "exact_duplicates": self.exact_duplicates,
            "broken_lines": self.broken_lines,
            "tokens": {
                **{name: round(tokens.expected, 1) for name, tokens in self._tokens.items()},
                "bounds": {
                    name: [round(tokens.low, 1), round(tokens.high, 1)] for name, tokens in self._tokens.items()
                },
                "method": METHOD,
            },
            "digest": self.digest,
        }


def profile_files(paths: Iterable[Path]) -> tuple[DataProfile, list[Finding]]:
    """The profile of one split that lies in one file or several, and the lines that could not be used.

    Raises:
        OSError: a file cannot be read.
        ValueError: there is no example in any of them.
    """
    lengths: list[tuple[int, int]] = []
    seen: set[bytes] = set()
    digest, duplicates = 0, 0
    broken: list[Finding] = []
    for path in paths:
        for record in read_records(path):
            if isinstance(record, Finding):
                broken.append(record)
                continue
            lengths.append((sum(map(_bytes, record.contents)), len(record.roles)))
            mark = _mark(record)
            duplicates += mark in seen
            seen.add(mark)
            digest = (digest + int.from_bytes(mark)) % (1 << 8 * DIGEST_BYTES)
    if not lengths:
        raise ValueError("there is no example in it")
    lengths.sort()
    return DataProfile(
        examples=len(lengths),
        exact_duplicates=duplicates,
        broken_lines=len(broken),
        mean=_tokens(sum(size for size, _ in lengths) / len(lengths), sum(n for _, n in lengths) / len(lengths)),
        p50=_tokens(*lengths[(len(lengths) - 1) // 2]),
        p95=_tokens(*lengths[round(0.95 * (len(lengths) - 1))]),
        longest=_tokens(*lengths[-1]),
        digest=f"blake2b-sum:{digest:0{2 * DIGEST_BYTES}x}",
    ), broken


def _tokens(size: float, messages: float) -> Interval:
    """Tokens of `size` bytes in `messages` turns: size / bytes a token + messages x template."""
    return Interval(
        size / BYTES_PER_TOKEN.high + messages * TEMPLATE_TOKENS.low,
        size / BYTES_PER_TOKEN.expected + messages * TEMPLATE_TOKENS.expected,
        size / BYTES_PER_TOKEN.low + messages * TEMPLATE_TOKENS.high,
    )


def _bytes(text: str) -> int:
    """Size in UTF-8; JSON can hold lone surrogates, which have none, and are counted as three bytes each."""
    return len(text.encode("utf-8", "surrogatepass"))


def _mark(record: Record) -> bytes:
    """16 bytes that identify an example: roles and contents, each with its length before it."""
    hashed = blake2b(digest_size=DIGEST_BYTES)
    for text in (*record.roles, *record.contents):
        data = text.encode("utf-8", "surrogatepass")
        hashed.update(len(data).to_bytes(8) + data)
    return hashed.digest()
