"""Checks of the data of a job: line by line, within a split, and between training and validation.

Memory grows with the data only by the digests: one of each training example and, with a validation split, one of each
training prompt; about 17 bytes per digest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hbspec.chat_templates.spoken import Render, answers
from hbspec.dataset.broken import Broken, Place
from hbspec.dataset.digests import Digests, digest
from hbspec.dataset.files import DataFile, lacking, read_records
from hbspec.dataset.folders import SHOWN_SUFFIXES
from hbspec.dataset.layouts import TRAINED, said
from hbspec.dataset.lines import Watch
from hbspec.dataset.profile import digest_text
from hbspec.dataset.quoting import LONGEST_SENTENCE, quoted
from hbspec.dataset.readers import Reader
from hbspec.dataset.records import MESSAGES, STANDARD, Layout, Record, refusals
from hbspec.dataset.tally import Tallies, Tally
from hbspec.dataset.turns import answer_of, conversation_of, faults, placeholders, prompt_of, shared_text
from hbspec.diagnostics import Severity
from hbspec.manual.data import (
    FILE,
    LAYOUT,
    LEAKED,
    LENGTHS,
    PLACEHOLDER,
    PROFILE,
    PROMPT,
    REPEATED,
    TEMPLATE,
    UNREAD,
)

TRAINING, VALIDATION = "training", "validation"
PASSED_OVER = f"the job ignores this file: its name does not end in {SHOWN_SUFFIXES}, or begins with . or _"

GIVE = "give files that hold examples"
LONGER = 1.5
"""Answers of one side that are so many times as long as the other's are reported."""


class DataTask(NamedTuple):
    """What a job trains for, as far as its data depend on it.

    Attributes:
        task: its name.
        types: dataset types that it trains.
        whole: whether conversations are learnt whole, so that they need no answer.
    """

    task: str
    types: tuple[str, ...]
    whole: bool


@dataclass(slots=True)
class Split:
    """The counts of one split, and its defects.

    Attributes:
        name: `TRAINING` or `VALIDATION`.
        files: number of files.
        examples: number of examples.
        broken: number of lines and files that cannot be used.
        digest: sum of the digests of the examples.
        tallies: defects, counted by kind.
        chosen: bytes of the chosen answers of all pairs.
        rejected: bytes of the rejected ones.
    """

    name: str
    files: int
    examples: int
    broken: int
    digest: int
    tallies: Tallies
    chosen: int = 0
    rejected: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The entry of the split in `hbspec data check --format json`."""
        return {
            "files": self.files,
            "examples": self.examples,
            "broken_lines": self.broken,
            "digest": digest_text(self.digest),
        }


@dataclass(frozen=True, slots=True)
class DataVerdict:
    """The result of a check: the splits, in the order of reading, and the layout of all examples.

    Attributes:
        layout: None where no example was recognised.
    """

    splits: tuple[Split, ...]
    layout: Layout | None = MESSAGES

    @property
    def tallies(self) -> Iterator[tuple[Tally, Split]]:
        """Every kind of finding with its split, in order of first occurrence."""
        for split in self.splits:
            for tally in split.tallies:
                yield tally, split

    def to_dict(self) -> dict[str, Any]:
        """The value of `data` in `hbspec data check --format json`."""
        return {
            "layout": None if self.layout is None else self.layout._asdict(),
            "splits": {split.name: split.to_dict() for split in self.splits},
            "findings": [tally.to_dict() for tally, _ in self.tallies],
        }


def check_data(
    training: Sequence[DataFile],
    validation: Sequence[DataFile] = (),
    *,
    profile: tuple[str, int, str] | None = None,
    render: Render | None = None,
    watch: Watch | None = None,
    reader: Reader | None = None,
    objective: DataTask | None = None,
) -> DataVerdict:
    """Check a training split and, if given, a validation split against it.

    Args:
        training: files of the training split.
        validation: files of the validation split; empty if the data have one split.
        profile: name, number of examples and digest of the profile to compare with the training split.
        render: the chat template that the job trains with, as a function; None where it is not known.
        watch: called with the number of bytes after each read.
        reader: makes the examples; one that takes the layout of the first example by default.
        objective: the task of the job, if it is known; by default one that trains data of this layout.

    Raises:
        OSError: a file cannot be read.
    """
    make = reader or Reader()
    trained = Digests()
    prompts = Digests() if validation else None
    first = Split(TRAINING, len(training), 0, 0, 0, Tallies(TRAINING))
    whole = objective is not None and objective.whole
    for record, mark in _examples(first, training, render, watch, make, whole):
        if not trained.add(mark):
            first.tallies.add(REPEATED, "repeats an earlier example", record.place)
        if prompts is not None and (prompt := _prompt(record)) is not None:
            prompts.add(prompt)
    if first.examples and (unseen := make.unseen_columns()):
        first.tallies.add(FILE, unseen, Place(training[0].name, 0), action=f"correct {make.naming.columns}")
    if profile is not None:
        _compare(first, profile, training[0].name)
    _say_layout(first, make, training[0].name, objective)
    if prompts is None:
        return DataVerdict((first,), make.layout)
    second = Split(VALIDATION, len(validation), 0, 0, 0, Tallies(VALIDATION))
    judged = Digests()
    for record, mark in _examples(second, validation, render, watch, make, whole):
        if not judged.add(mark):
            second.tallies.add(REPEATED, "repeats an earlier example", record.place)
        if mark in trained:
            second.tallies.add(LEAKED, "also in the training split", record.place)
        if (prompt := _prompt(record)) is not None and prompt in prompts:
            second.tallies.add(PROMPT, "the prompt is also in the training split", record.place)
    return DataVerdict((first, second), make.layout)


def _say_layout(split: Split, reader: Reader, file: str, objective: DataTask | None) -> None:
    """Report a layout that the shipped script does not train, or that the task does not."""
    layout = reader.layout
    if layout is None or layout.type in (TRAINED if objective is None else objective.types):
        return
    if objective is not None and layout.type in TRAINED:
        trains = " and ".join(objective.types).replace("_", " ")
        what = f"the examples are {said(layout)}, and task {objective.task} trains {trains}"
        split.tallies.add(LAYOUT, what, Place(file, 0), Severity.ERROR)
        return
    if layout.format:
        others = f"; the columns {', '.join(map(quoted, reader.beside))} are not read" if reader.beside else ""
        what = f"the examples are {said(layout)}, which the shipped script does not train{others}"
    else:
        what = f"the examples are laid out as {said(layout)}, which the job does not read"
    severity = LAYOUT.severity if layout.format else Severity.ERROR
    split.tallies.add(LAYOUT, what, Place(file, 0), severity)


def _examples(
    split: Split, files: Sequence[DataFile], render: Render | None, watch: Watch | None, reader: Reader, whole: bool
) -> Iterator[tuple[Record, bytes]]:
    """Every example of a split with its digest; counts it, and adds its own defects to the split."""
    for file in files:
        if file.is_passed_over:
            split.tallies.add(FILE, PASSED_OVER, Place(file.name, 0), action="rename the file")
        if file.beside is not None:
            folder, rest = file.beside
            split.tallies.add(UNREAD, f"the folder {rest}", Place(folder, 0))
    missing = lacking(files)
    if missing is not None:
        split.tallies.add(FILE, missing, Place(files[0].name, 0), action="put the missing shards beside the others")
    for found in read_records(files, watch, reader):
        if isinstance(found, Broken):
            split.broken += 1
            split.tallies.broken(found)
            continue
        mark = digest(found.names, found.encoded)
        split.examples += 1
        split.digest += int.from_bytes(mark)
        if found.layout.type == "preference":
            split.chosen += sum(len(text) for _, text in answer_of(found, "chosen"))
            split.rejected += sum(len(text) for _, text in answer_of(found, "rejected"))
        if reader.later:
            what = f"{' and '.join(map(quoted, reader.later))} not read, since the first example lacks it"
            split.tallies.add(LAYOUT, what, found.place, Severity.WARNING, action="give all examples the same columns")
        for defect, what, severity in faults(found, whole=whole):
            split.tallies.add(defect, what, found.place, severity)
        if render is not None and (refused := _refused(render, found, whole)) is not None:
            split.tallies.add(TEMPLATE, refused, found.place)
        names = dict.fromkeys(placeholders(found))
        if names:
            tally = split.tallies.add(PLACEHOLDER, "unfilled placeholders", found.place)
            for name in names:
                split.tallies.name(tally, name)
        yield found, mark
    _compare_lengths(split, files[0].name)
    if not split.examples and not split.broken:
        what = f"the {split.name} data contain no example"
        split.tallies.add(FILE, what, Place(files[0].name, 0), action=GIVE)


def _compare_lengths(split: Split, file: str) -> None:
    shorter, longer = sorted((split.chosen, split.rejected))
    if longer > LONGER * shorter:
        chosen, rejected = (round(size / split.examples) for size in (split.chosen, split.rejected))
        what = f"chosen answers have {chosen:,} bytes on average, rejected ones {rejected:,}"
        split.tallies.add(LENGTHS, what, Place(file, 0))


def _refused(render: Render, record: Record, whole: bool) -> str | None:
    """Why the job refuses an example in its chat template; None where it does not, or refuses it for other reasons."""
    if record.layout.format == STANDARD or any(True for _ in refusals(record, whole=whole)):
        return None
    try:
        if whole:
            render(conversation_of(record), False)
        else:
            answers(render, conversation_of(record))
    except Exception as reason:  # a template can raise any exception
        return quoted(str(reason) or type(reason).__name__, LONGEST_SENTENCE)
    return None


def _prompt(record: Record) -> bytes | None:
    """The digest of an example's prompt, wherever it stands; None where it has none."""
    end = prompt_of(record)
    if end:
        return digest(record.roles[:end], record.encoded[:end])
    text = shared_text(record)
    return digest(("",), (text.encode(),)) if text else None


def _compare(split: Split, profile: tuple[str, int, str], file: str) -> None:
    name, examples, digested = profile
    if examples != split.examples:
        said = f"{name} counts {examples:,} examples, but the {split.name} data contain {split.examples:,}"
    elif digested != digest_text(split.digest):
        said = f"{name} has the digest {digested}, but the {split.name} data have {digest_text(split.digest)}"
    else:
        return
    split.tallies.add(PROFILE, said, Place(file, 0))
