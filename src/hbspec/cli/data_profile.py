"""`hbspec data profile`: the number of examples and their lengths in tokens, for `data.profile` in a spec."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hbspec.cli.chat_template import TEMPLATE, template_text
from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.data_engine import ADDRESS, ENGINE, profile_on
from hbspec.cli.data_files import FILES, GIVE, OUTPUT, PART, files_of, refuse_other_files
from hbspec.cli.data_layout import COLUMN, TYPE, WEIGHT, reader_of, weights_of
from hbspec.cli.exit_codes import ERRORS, OK, UNUSABLE
from hbspec.cli.options import positive
from hbspec.diagnostics import Report
from hbspec.showing import shown

if TYPE_CHECKING:
    from hbspec.dataset.measures import Measure
    from hbspec.dataset.profile import DataProfile
    from hbspec.dataset.tally import Tallies

TOKENIZER = Parameter(
    "tokenizer",
    "The model's tokenizer: a tokenizer.json, a folder with one, or a model in the Hugging Face cache. Without it, "
    "lengths are estimated.",
    ("--tokenizer",),
    "TOKENIZER",
)
MAX_LENGTH = Parameter(
    "caps",
    "A max_length whose truncation is reported besides the usual ones. Can be repeated.",
    ("--max-length",),
    "TOKENS",
    convert=positive,
    repeated=True,
)


def run(
    files: Sequence[str],
    output: str | None,
    tokenizer: str | None,
    template: str | None,
    kind: str | None,
    columns: Sequence[tuple[str, str]],
    weights: Sequence[tuple[str, float]],
    caps: Sequence[int],
    part: bool,
    engine: str | None,
    address: str | None,
) -> int:
    """Write the profile of one split; if it goes to a file, print its summary to standard output.

    Skipped lines are reported on standard error and make the exit code 1; files of a folder that are not read are noted
    there. If a file cannot be read to its end, nothing is written.
    """
    from hbspec.cli.data_progress import Progress
    from hbspec.cli.outcome import refuse
    from hbspec.dataset.files import lacking
    from hbspec.dataset.profile import profile_data
    from hbspec.manual.data import FILE

    if address is not None and engine is None:
        raise MisuseError("--address is that of a cluster of --engine; give both, or neither")
    split, measure = files_of(files), _measure(tokenizer, template)
    shares = weights_of(weights, split)
    refuse_other_files(output)
    missing = None if part else lacking(split)
    if missing is not None:
        raise MisuseError(f"{missing}; give all of them, or profile those that are there with --part")
    for folder, rest in filter(None, (file.beside for file in split)):
        sys.stderr.write(f"note: {shown(f'{folder} {rest}')}\n")
    reader = reader_of(kind, columns)
    if engine is not None:
        text = template_text(template)
        profile, tallies = profile_on(engine, address, split, reader, columns, shares, tokenizer, text)
    else:
        with Progress(split) as watch:
            profile, tallies = profile_data(split, measure, watch, reader, shares)
    report = _report(tallies, [file.name for file in split], profile.examples)
    if report.diagnostics:
        refuse(report)
    if not profile.examples or any(tally.defect == FILE for tally in tallies):
        if not report.diagnostics:
            raise MisuseError(f"{', '.join(files)}: no examples found; {GIVE}")
        return UNUSABLE
    write(profile if part else profile.whole(), output, caps)
    return ERRORS if report.diagnostics else OK


def write(profile: DataProfile, output: str | None, caps: Sequence[int] = ()) -> None:
    """Write a profile to standard output, or to a file and its summary to standard output."""
    if output is None:
        sys.stdout.write(profile.text())
        return
    from hbspec.cli.data_summary import summary
    from hbspec.cli.whole import write_file
    from hbspec.render.paint import columns
    from hbspec.render.paint import write as paint

    write_file(Path(output), profile.text().encode(), replace=True)
    paint((*summary(profile, caps, columns()), (), (("path", output),)), sys.stdout)


def _measure(tokenizer: str | None, template: str | None) -> Measure | None:
    if tokenizer is None:
        if template is not None:
            raise MisuseError("--chat-template counts nothing without --tokenizer; give both, or neither")
        return None
    from hbspec.dataset.vocabulary import TokenizerError, counting

    try:
        return counting(tokenizer, template_text(template))
    except TokenizerError as reason:
        raise MisuseError(f"--tokenizer {reason}") from None


def _report(tallies: Tallies, names: Sequence[str], examples: int) -> Report:
    return Report(files=tuple(names), diagnostics=tuple(tally.diagnostic(examples) for tally in tallies))


COMMAND = Command(
    "data profile",
    "Count the examples of one split, and measure their lengths in tokens.",
    run,
    (FILES, OUTPUT, TOKENIZER, TEMPLATE, TYPE, COLUMN, WEIGHT, MAX_LENGTH, PART, ENGINE, ADDRESS),
    "Name the profile in a spec as data.profile, and time and cost are estimated from the measured lengths. With -o, a "
    "summary is printed: truncation by max_length, padding, packing, and advice.",
)
