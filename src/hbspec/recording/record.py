"""The whole recording of a model, as the plain data of its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from hbspec.recording.build import build, shorten
from hbspec.recording.fit import Table
from hbspec.recording.forward import Regime
from hbspec.recording.known_calls import KnownCalls
from hbspec.recording.lengths import ChunkLengths
from hbspec.recording.probe import Probe
from hbspec.recording.program import RecordingError
from hbspec.recording.runner import PartRunner
from hbspec.recording.settle import settled
from hbspec.recording.tensors import weights_of

REGIMES = (
    Regime(2, autocast=True, keeps=False),
    Regime(2, autocast=True, keeps=True),
    Regime(2, autocast=False, keeps=False),
    Regime(4, autocast=True, keeps=False),
    Regime(4, autocast=True, keeps=True),
    Regime(4, autocast=False, keeps=False),
)
DTYPES = {2: torch.bfloat16, 4: torch.float32}


def key_of(regime: Regime, *, several: bool, masked: bool) -> str:
    """The name of a variant in the file: `2 autocast keeps several masked`."""
    words = {"autocast": regime.autocast, "keeps": regime.keeps, "several": several, "masked": masked}
    return " ".join([str(regime.stream), *(word for word, said in words.items() if said)])


def record(values: Mapping[str, Any], regimes: Sequence[Regime] | None = None) -> dict[str, Any]:
    """A model's config, weights and programs.

    Args:
        values: the fields of its config.json.
        regimes: the dtypes in which it is recorded; by default all of them.

    Raises:
        RecordingError: the model cannot be recorded.
    """
    regimes = regimes or REGIMES
    programs, ways = Table(), Table()
    found: dict[str, dict[str, Any]] = {"variants": {}, "held": {}, "missing": {}, "buffers": {}}
    described: dict[str, Any] = {}
    masks = False
    for stream in dict.fromkeys(regime.stream for regime in regimes):
        built = build(values, DTYPES[stream])
        # of 16 bits first, as that tells which weights have 32 all the same
        described = described or {**weights_of(built), "attention": built.attention, "kinds": list(built.kinds)}
        buffers = sum(one.numel() * one.element_size() for one in built.model.buffers())
        fake = FakeTensorMode(allow_non_fake_inputs=True)
        shorten(built, fake)
        found["buffers"][str(stream)] = buffers + settled(built, fake)
        calls, probe, lengths = KnownCalls(fake), Probe(), ChunkLengths(built)
        narrow: set[bool] = set()
        for regime in (one for one in regimes if one.stream == stream):
            if regime.keeps and narrow == {True}:
                _same_again(found, regime)
                continue
            for masked in (False, True):
                runner = PartRunner(built, calls, probe, regime, ways, lengths, masked=masked)
                for several in (False, True):
                    _add(found, runner, programs, several=several)
                masks |= runner.masks
                if regime.autocast and not regime.keeps:
                    narrow.add(runner.narrow)
    return {**described, **found, "masks": masks, "programs": programs.rows, "ways": ways.rows}


def _same_again(found: Mapping[str, dict[str, Any]], regime: Regime) -> None:
    """Where linear modules are given 16 bits only, those that keep the dtype put out what the others do."""
    for several in (False, True):
        for masked in (False, True):
            other = key_of(regime._replace(keeps=False), several=several, masked=masked)
            for variants in found.values():
                if other in variants:
                    variants[key_of(regime, several=several, masked=masked)] = variants[other]


def _add(found: Mapping[str, dict[str, Any]], runner: PartRunner, programs: Table, *, several: bool) -> None:
    """Record a variant, or write down why it cannot be.

    Raises:
        RecordingError: it is the first, without which none is of use.
    """
    key = key_of(runner.regime, several=several, masked=runner.masked)
    try:
        parts = runner.parts(several=several)
    except RecordingError as reason:
        if not found["variants"]:
            raise
        found["missing"][key] = str(reason)
        return
    found["held"][key] = parts.pop("held")
    found["variants"][key] = {
        name: [{element: programs.add(one) for element, one in kind.items()} for kind in part]
        if isinstance(part, list)
        else programs.add(part)
        for name, part in parts.items()
    }
