"""`hbspec data check`: everything that is wrong with the data of a job, similar findings grouped."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hbspec.cli.chat_template import TEMPLATE, template_text
from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.data_files import FILES, document_of, files_of
from hbspec.cli.data_layout import COLUMN, TASKS_OF_DATA, TYPE, reader_of
from hbspec.cli.options import format_of
from hbspec.diagnostics import SEVERITY_ORDER, Report
from hbspec.units import counted

if TYPE_CHECKING:
    from hbspec.chat_templates.spoken import Render
    from hbspec.dataset.check import DataVerdict

VALIDATION = Parameter(
    "validation",
    "A file or folder of the validation split, which is compared with the training files. Can be repeated.",
    ("--validation",),
    "FILE",
    repeated=True,
)
TASK = Parameter(
    "task",
    "The task of the job, where other examples are refused than usual: pretrain learns conversations without an "
    "answer.",
    ("--task",),
    "TASK",
    choices=TASKS_OF_DATA,
)
WHOLE = "pretrain"
PROFILE = Parameter("profile", "A profile to compare with these files.", ("--profile",), "PROFILE")


def run(
    files: Sequence[str],
    validation: Sequence[str],
    profile: str | None,
    template: str | None,
    kind: str | None,
    columns: Sequence[tuple[str, str]],
    task: str | None,
    format: str,  # noqa: A002
) -> int:
    """Report what is wrong and how many examples were read; return the exit code."""
    from hbspec.cli.data_progress import Progress
    from hbspec.cli.outcome import exit_code, show
    from hbspec.dataset.check import DataTask, check_data
    from hbspec.plan.tasks import TASKS

    both = sorted(set(files) & set(validation))
    if both:
        raise MisuseError(f"{both[0]} cannot be both training data and --validation")
    training, held_out = files_of(files), files_of(validation)
    expected, render = profile and _profile(profile), _render(template)
    objective = DataTask(task, TASKS[task].types, whole=task == WHOLE) if task else None
    with Progress((*training, *held_out)) as watch:
        reader = reader_of(kind, columns)
        verdict = check_data(
            training,
            held_out,
            profile=expected or None,
            render=render,
            watch=watch,
            reader=reader,
            objective=objective,
        )
    report = report_of(verdict, [file.name for file in (*training, *held_out)])
    if format == "json":
        from hbspec.render.plain_json import json_text

        sys.stdout.write(json_text({**report.to_dict(), "data": verdict.to_dict()}))
    else:
        show(report, format)
    if format == "text":
        counts = " and ".join(counted(split.examples, f"{split.name} example") for split in verdict.splits)
        sys.stdout.write(f"{counts}\n{_layout(verdict, task)}")
    return exit_code(report)


def _layout(verdict: DataVerdict, task: str | None) -> str:
    """What a spec must say of data that are not conversations in `messages`."""
    from hbspec.dataset.layouts import TRAINED, said
    from hbspec.dataset.records import MESSAGES
    from hbspec.plan.tasks import TASKS

    layout = verdict.layout
    if layout in (None, MESSAGES) or layout.type not in TRAINED:
        return ""
    tasks = [task] if task else [name for name, facts in TASKS.items() if layout.type in facts.types]
    named = "" if "sft" in tasks else f"task: {' or '.join(tasks)}, "
    return f"{said(layout)}: set {named}data.type: {layout.type} and data.format: {layout.format}\n"


def report_of(verdict: DataVerdict, names: Sequence[str]) -> Report:
    """The defects that a check found as diagnostics, ordered by split, severity and code."""
    diagnostics = []
    for split in verdict.splits:
        tallies = sorted(split.tallies, key=lambda tally: (SEVERITY_ORDER[tally.severity], tally.defect.code))
        diagnostics += [tally.diagnostic(split.examples) for tally in tallies]
    return Report(files=tuple(names), diagnostics=tuple(diagnostics))


def _render(template: str | None) -> Render | None:
    text = template_text(template)
    if text is None:
        return None
    from hbspec.chat_templates.trial import stand_in

    return stand_in(text)


def _profile(name: str) -> tuple[str, int, str]:
    from hbspec.plan import read_profile

    try:
        profile = read_profile(document_of(name))
    except ValueError as reason:
        raise MisuseError(f"{name}: {reason}") from None
    return name, profile.examples, profile.digest


COMMAND = Command(
    "data check",
    "Check training data, and report what is wrong with it.",
    run,
    (FILES, VALIDATION, PROFILE, TEMPLATE, TYPE, COLUMN, TASK, format_of("text", "json", "github")),
    "Reports unusable lines, turns out of order, missing answers, repeated examples, overlap between the splits and "
    "unfilled placeholders. Reads each file once, line by line.",
)
