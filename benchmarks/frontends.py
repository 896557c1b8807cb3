"""How many public files of other programs are read, and how fully.

    python benchmarks/frontends.py DIR [DIR …] [--on TYPE] [--list]

Every YAML file below a folder that a front end recognises is read as data, and so is every shell script and, of a
README or another page, every block with a command line that trains; nothing of them is run. A file is `refused`
if no plan can be made of it, `partly` read if a key that influences memory is not estimated, and `fully` read
otherwise. Trainings that are not estimated, and files that train nothing, are counted apart; so are fully read files of
a model that the catalog does not have, whose memory is not known. `--on` names the hardware of all of them.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hbspec.api import judgement
from hbspec.frontends.commands.fences import scripts_in
from hbspec.frontends.commands.flags import Places
from hbspec.frontends.commands.named_files import NamedFiles
from hbspec.frontends.commands.script import script_of
from hbspec.frontends.commands.training import trainings
from hbspec.frontends.reading.front import recognised
from hbspec.source.nodes import MapNode
from hbspec.source.parse import parse
from hbspec.source.problems import Problems

NOT_ESTIMATED, NOT_READ, UNKNOWN, LATER = "HB027", "HB029", "HB028", "HB036"
TOO_LARGE = "HB109"
ASSUMED = ("max_samples", "num_processes", "nproc_per_node", "num_gpus", "CUDA_VISIBLE_DEVICES", "max_seq_len")
"""Keys that are understood, and contradict the number of examples or of GPUs that is assumed here for all files, or
leave to the data how long rows are."""
ALL = "all"


class Read(NamedTuple):
    """One file: its program, how it was read, and why not better."""

    file: Path
    program: str
    outcome: str
    reasons: tuple[str, ...]
    too_large: bool = False
    modelled: bool = False


def main() -> int:
    """Prints the counts of some folders."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--on", default="ml.p4de.24xlarge", help="the instance type that all of them run on")
    parser.add_argument("--list", action="store_true", help="print every file, too")
    asked = parser.parse_args()
    found = [read for folder in asked.folders for read in _files(folder, asked.on)]
    if asked.list:
        for read in found:
            sys.stdout.write(f"{read.outcome:13} {read.file}: {'; '.join(read.reasons)}\n")
    sys.stdout.writelines(f"{line}\n" for line in _table(found))
    return 0


def _files(folder: Path, instance: str) -> Iterator[Read]:
    for path in sorted(path for end in ("*.yml", "*.yaml") for path in folder.rglob(end)):
        problems = Problems()
        tree = parse(path.read_text(encoding="utf-8", errors="replace"), str(path), problems)
        front = recognised(tree) if isinstance(tree, MapNode) else None
        if front and not front.part:
            yield _read(path, front.program, instance)
    for end, kind in (("*.sh", "scripts"), ("*.slurm", "scripts"), ("*.md", "pages")):
        for path in sorted(folder.rglob(end)):
            count = _trainings(path)
            if not count and kind == "scripts":
                yield Read(path, f"command lines in {kind}", "other task", ("starts no training that is read",))
            for number in range(1, count + 1):
                yield _read(path, f"command lines in {kind}", instance, number)


def _trainings(path: Path) -> int:
    """How many command lines of a script or a page start a training that is read."""
    text = path.read_text(encoding="utf-8", errors="replace")
    script = script_of(text, scripts_in(text) if path.suffix == ".md" else [(0, len(text))])
    files = NamedFiles(str(path), Problems(), allow_outside=False)
    return sum(1 for _ in trainings(script, Places(str(path), text), files))


def _read(path: Path, program: str, instance: str, number: int | None = None) -> Read:
    overrides = (f"instance.type={instance}", "data.train.examples=10000")
    named = f"shell:{number}" if number else None
    report, analysis = judgement(str(path), overrides=overrides, program=named)
    codes = [entry.code for entry in report.diagnostics]
    if NOT_ESTIMATED in codes:
        said = (entry.message for entry in report.diagnostics if entry.code == NOT_ESTIMATED)
        return Read(path, program, "other task", tuple(said))
    errors = tuple(f"{e.code} {e.message}" for e in report.diagnostics if e.severity == "error")
    if analysis is None:
        return Read(path, program, "refused", errors[:3])
    unread = tuple(
        str(entry.route[-1])
        for entry in report.diagnostics
        if entry.code in (NOT_READ, LATER) and entry.severity != "note" and entry.route[-1] not in ASSUMED
    )
    more = tuple(f"{e.code} {e.route[-1] if e.route else ''}" for e in report.diagnostics if e.severity == "error")
    modelled = analysis.architecture is not None or analysis.bounds is not None
    if not modelled:
        more += ("the model is not in the catalog",)
    too_large = any(entry.code == TOO_LARGE and entry.severity == "error" for entry in report.diagnostics)
    return Read(path, program, "partly" if unread else "fully", unread + more, too_large, modelled)


def _table(found: list[Read]) -> Iterator[str]:
    programs = sorted({read.program for read in found})
    for program in [*programs, ALL] if len(programs) > 1 else programs:
        of_it = [read for read in found if program in (read.program, ALL)]
        counts = Counter(read.outcome for read in of_it)
        tuned = len(of_it) - counts["other task"]
        loaded = counts["fully"] + counts["partly"]
        modelled = sum(read.modelled for read in of_it if read.outcome == "fully")
        yield (
            f"{program}: {len(of_it)} files, {counts['other task']} of another task; of {tuned} others {loaded} loaded "
            f"({_share(loaded, tuned)}), {counts['fully']} fully ({_share(counts['fully'], tuned)}; "
            f"{modelled} of them of a model that the catalog has), "
            f"{counts['partly']} partly, {counts['refused']} refused; "
            f"{sum(read.too_large for read in of_it)} too large"
        )
        reasons = Counter(reason for read in of_it for reason in read.reasons if read.outcome != "other task")
        for reason, times in reasons.most_common(40):
            yield f"  {times:4} {reason}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none"


if __name__ == "__main__":
    sys.exit(main())
