"""Blocks of lines, counted at once where they are what nearly all lines of a long log are.

That is: metric lines of one update each, one after the other, whole and with all fields, none of which breaks a bound.
Any other block is counted line by line. Both ways count the same; this one takes a quarter of the time.
"""

from __future__ import annotations

import re
from math import fsum, isfinite

from hbspec.watching.events import MEMORY, says_something
from hbspec.watching.lines import LONGEST, LogBlock, line_of
from hbspec.watching.pace import TimedUpdate
from hbspec.watching.tally import KEPT_UPDATES, MOST_SECONDS, LogTally

COUNTED = re.compile(
    rb"^hbspec: step=(\d{1,12}) loss=(\S+) grad_norm=(\S+) learning_rate=\S+ epoch=\S+ step_seconds=(\S+) "
    rb"gpu_memory_bytes=(\d{1,18} gpu_peak_allocated_bytes=\d{1,18} gpu_reserved_bytes=\d{1,18}) tokens=\S+ "
    rb"longest=(\d{1,12} unevenness=\S+)\n",
    re.MULTILINE,
)
"""A metric line with all fields, and nothing before or after it: what is counted. What most lines share is one text."""
KEPT = re.compile(
    rb"^hbspec: step=\d+ loss=\S+ grad_norm=(\S+) learning_rate=(\S+) epoch=(\S+) step_seconds=(\S+) "
    rb"gpu_memory_bytes=(\S+) gpu_peak_allocated_bytes=(\S+) gpu_reserved_bytes=(\S+) tokens=(\S+) longest=(\S+) "
    rb"unevenness=(\S+)\n",
    re.MULTILINE,
)
"""The same line: what is kept of the last ones."""


def take_block(tally: LogTally, block: LogBlock) -> None:
    """Count the lines of a block."""
    if tally.in_order and block.text.startswith(b"hbspec: step=") and _take_at_once(tally, block.text):
        return
    ascii_only = block.text.isascii()
    for text in block.text.split(b"\n"):
        if not text:
            continue
        if ascii_only and len(text) <= LONGEST and not text[:1].isdigit() and not says_something(text):
            tally.lines += 1
        else:
            tally.take(line_of(text))


def _take_at_once(tally: LogTally, text: bytes) -> bool:
    """Count the lines of a text at once; False, with nothing counted, where one of them is of another kind."""
    found = COUNTED.findall(text)
    if len(found) != text.count(b"\n") or len(text) < 2:
        return False
    steps, losses, norms, times, sizes_of_each, rows_of_each = zip(*found, strict=True)
    try:
        if list(map(int, steps)) != list(range(tally.top + 1, tally.top + 1 + len(found))):
            return False
        loss, norm, seconds = (list(map(float, column)) for column in (losses, norms, times))
    except ValueError:
        return False
    held = {_values(sizes) for sizes in set(sizes_of_each)}
    finite = all(all(map(isfinite, each)) for each in (loss, norm, seconds))
    most = max(int(memory) for memory, _, _ in held)
    ends = (min(norm), max(norm)), (min(seconds), max(seconds))
    if not finite or min(seconds) < 0 or max(seconds) >= MOST_SECONDS or not tally.bounds.admits(most, *ends):
        return False
    if len(text) > LONGEST and max(map(len, text.split(b"\n"))) > LONGEST:
        return False
    for sizes in held:
        tally.hold((*(None,) * MEMORY, *sizes))
    for rows in set(rows_of_each):
        tally.see_rows(_values(rows))
    tally.spent += fsum(seconds)
    tally.pace.take_row(seconds)
    last = b"\n".join(text.rsplit(b"\n", KEPT_UPDATES + 1)[-KEPT_UPDATES - 1 :])
    kept = zip(seconds[-KEPT_UPDATES:], KEPT.findall(last), strict=True)
    tally.take_row(loss, ends[0][1], [TimedUpdate(took, raw) for took, raw in kept])
    return True


def _values(fields: bytes) -> tuple[bytes, ...]:
    """The values of fields in a row, of which the first has lost its name."""
    return tuple(field.rpartition(b"=")[2] for field in fields.split(b" "))
