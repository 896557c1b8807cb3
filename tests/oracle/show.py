"""A trace for a reader: what is alive at a peak, and how memory moves from operation to operation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from oracle.tracer import Storage, Trace


def alive_at(trace: Trace, phase: str) -> list[Storage]:
    """The storages alive when a phase was at its peak."""
    alive: dict[int, Storage] = {}
    for event in trace.events[: trace.peaks[phase][1]]:
        if event.sign > 0:
            alive[id(event.storage)] = event.storage
        else:
            del alive[id(event.storage)]
    return list(alive.values())


def peak_op(trace: Trace, phase: str) -> str:
    """The operation that brought a phase to its peak, and where."""
    op = trace.ops[trace.events[trace.peaks[phase][1] - 1].op]
    return f"{op.side} {op.name} at {op.where}"


def dump(trace: Trace, phase: str, *, layers: bool = False) -> Iterator[str]:
    """What is alive at the peak of a phase, the largest groups first.

    Args:
        trace: a finished trace.
        phase: one of its phases.
        layers: tells the layers apart; without, `layers.3.mlp` reads `layers.*.mlp`.
    """
    size, _ = trace.peaks[phase]
    yield f"{size:,} bytes at {peak_op(trace, phase)}"
    groups: Counter[tuple[str, str, str, str, str]] = Counter()
    counts: Counter[tuple[str, str, str, str, str]] = Counter()
    for storage in alive_at(trace, phase):
        lasting = storage.kind in ("states", "gradients")
        where = "" if lasting else storage.where if layers else _any_layer(storage.where)
        shape = "x".join(map(str, storage.shape))
        key = (storage.kind or storage.phase, storage.op, where, shape, storage.dtype)
        groups[key] += storage.bytes
        counts[key] += 1
    for key, total in groups.most_common():
        kind, made, where, shape, dtype = key
        yield f"{total:>18,}  {counts[key]:>5} x {kind:<10} {made:<44} {dtype:<9} {shape:<20} {where}"


def timeline(trace: Trace, phases: tuple[str, ...], around: str = "") -> Iterator[str]:
    """One line an operation that made or freed a storage: what it added, what was freed after it, what is alive then.

    Args:
        trace: a finished trace.
        phases: those to show.
        around: a module path; only operations in it or in the backward of it.
    """
    added: Counter[int] = Counter()
    freed: Counter[int] = Counter()
    made: dict[int, list[str]] = {}
    for event in trace.events:
        if event.sign > 0:
            added[event.op] += event.storage.bytes
            made.setdefault(event.op, []).append("x".join(map(str, event.storage.shape)) + f" {event.storage.dtype}")
        else:
            freed[event.op] += event.storage.bytes
    live = added[-1] - freed[-1]
    for number, op in enumerate(trace.ops):
        live += added[number]
        high = live
        live -= freed[number]
        if op.phase not in phases or (around and around not in op.where):
            continue
        if added[number] or freed[number]:
            plus, minus = f"+{added[number]:,}" if added[number] else "", f"-{freed[number]:,}" if freed[number] else ""
            yield (
                f"{high:>16,} {plus:>14} {minus:>14} {op.phase:<9}{op.side:<10}{op.name:<40} "
                f"{', '.join(made.get(number, [])):<34} {op.where}"
            )


def _any_layer(where: str) -> str:
    return ".".join("*" if part.isdigit() else part for part in where.split("."))
