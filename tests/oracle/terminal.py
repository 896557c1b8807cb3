"""Single cases on the terminal: their peaks, what is alive then, and the timeline."""

from __future__ import annotations

import argparse

from oracle.case import parse
from oracle.show import dump, peak_op, timeline
from oracle.step import PHASES, Traced, traced


def show(given: argparse.Namespace) -> None:
    """Whatever the command line asked for about single cases."""
    for text in given.case:
        print("\n".join(_summary(text, traced(parse(text), real=given.real))))
    if given.dump:
        found = traced(parse(given.dump[0]), real=given.real)
        highest = max(found.trace.peaks, key=lambda phase: found.trace.peaks[phase][0])
        phase = highest if given.dump[1] == "peak" else given.dump[1]
        print("\n".join(dump(found.trace, phase, layers=given.layers)))
    if given.events:
        case = parse(given.events)
        middle = f"layers.{case.values['num_hidden_layers'] // 2}"
        around = middle if given.around is None else given.around
        found = traced(case, real=given.real)
        print("\n".join(timeline(found.trace, tuple(given.phases.split(",")), around)))


def _summary(text: str, found: Traced) -> list[str]:
    trace = found.trace
    return [
        parse(text).text,
        "  static    " + ", ".join(f"{kind} {size:,}" for kind, size in found.static.items()),
        *(
            f"  {phase:<10}{trace.peaks[phase][0]:>18,}  {peak_op(trace, phase)}"
            for phase in PHASES
            if phase in trace.peaks
        ),
        f"  saved {found.saved:,}; after backward {found.gradients:,}; trained {found.trained:,}",
        "  flops     " + ", ".join(f"{side} {count:,}" for side, count in trace.flops.items()) + f"; {found.seconds} s",
    ]
