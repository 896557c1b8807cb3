"""Calls of SageMaker's Python SDK in `.py` files and notebooks: estimators of version 2, and ModelTrainer of 3.

The code is parsed, and never run. What decides memory is in the training script more often than in the call: what the
call leaves to it is guessed on the larger side, and said.
"""

from __future__ import annotations

from hbspec.diagnostics import Severity
from hbspec.frontends.calls.cells import cells_of
from hbspec.frontends.calls.hardware import put_account, put_hardware
from hbspec.frontends.calls.jobs import ALSO, JobCall, JobNameError, job_of
from hbspec.frontends.calls.open_values import say_what_is_open
from hbspec.frontends.calls.script_arguments import put_script_arguments
from hbspec.frontends.calls.software import put_processes, put_software
from hbspec.frontends.known.sagemaker import RECIPES, classes, fields
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.foreign import Foreign
from hbspec.frontends.reading.front import Code, FrontEnd
from hbspec.frontends.reading.left_open import Remark, Said
from hbspec.manual import text as pages
from hbspec.manual.foreign import PAGES
from hbspec.source.problems import Problems

SESSION = ("sagemaker_session", "session", "py_version", "metric_definitions", "code_location", "class", "tags")
REFUSED = {
    **dict.fromkeys(ALSO, "trains by a program that is not in the file"),
    "ModelTrainer.from_recipe": "trains by a recipe that is not in the file",
    "ModelTrainer.from_jumpstart_config": "trains by a program of JumpStart's that is not in the file",
}


def read_code(code: Code, problems: Problems) -> Foreign | None:
    """The job of a Python file or of a notebook; None, with the reason in `problems`, if there is none."""
    file = code.file
    cells = cells_of(code.text, file, problems)
    if cells is None:
        return None
    try:
        found = job_of(cells, classes(), code.job)
    except JobNameError as error:
        problems.add(pages.UNREADABLE_FILE, file, str(error), "name one of them, or its number")
        return None
    except RecursionError:
        problems.add(pages.OVER_LIMIT, file, "the code is nested too deeply", "write the call on its own")
        return None
    if found is None:
        message = "this code starts no training job: it has no call of HuggingFace, PyTorch, Estimator or ModelTrainer"
        action = "name the file that starts the job, a configuration, or a spec"
        problems.add(PAGES["HB067"], file, message, action)
    return found


def translate(foreign: Foreign, building: Building) -> None:
    """The job of a call."""
    assert isinstance(foreign, JobCall)  # noqa: S101 - `read_code` makes no other
    _say_the_rest(foreign, building)
    kind = foreign.get("class")
    if kind and kind.text in REFUSED:
        foreign.refused = True
        foreign.get(*[entry.key for entry in foreign.rest()])
        action = "write the training as a spec, or in the configuration of its framework"
        building.refuse(kind, f"{kind.text} {REFUSED[kind.text]}: it is not estimated", action)
    for name in RECIPES:
        given = foreign.get(name)
        if given and name != "recipe_overrides":
            foreign.refused = True
            message = f"{name} names a recipe that is not in the file: its training is not estimated"
            building.refuse(given, message, "check the recipe itself")
    put_hardware(foreign, building)
    put_account(foreign, building)
    put_software(foreign, building)
    put_script_arguments(foreign, building)
    put_processes(foreign, building)
    for name in SESSION:
        foreign.get(name)


def finish(foreign: Foreign, building: Building, said: Said) -> None:
    """What is computed and what is guessed, without what is said elsewhere."""
    assert isinstance(foreign, JobCall)  # noqa: S101 - as above
    if not foreign.refused:
        say_what_is_open(foreign, building, said)


def _say_the_rest(job: JobCall, building: Building) -> None:
    """The other jobs of the program, a tuner, and lines that are not read."""
    if job.others:
        names = ", ".join(other.where for other in job.others)
        message = f"the file starts {len(job.others) + 1} jobs; this is {job.job.where}, and the others are {names}"
        remark = Remark(
            "HB066", Severity.NOTE, job.job.span, message, "name another with --as sagemaker:NAME or :NUMBER"
        )
        building.remark(remark, "jobs")
    if job.tuner:
        message = "a tuner starts many jobs like this one: time and cost are those of one"
        building.remark(Remark("HB029", Severity.NOTE, job.tuner, message, "multiply them by max_jobs"), "tuner")
    for number, lines in enumerate(job.unread):
        first = lines.span.start.line
        which = f"line {first}" if lines.last == first else f"lines {first} to {lines.last}"
        message = f"{which} cannot be read as Python ({lines.reason})"
        action = "correct the line; what is bound there is not known here"
        building.remark(Remark("HB067", Severity.WARNING, lines.span, message, action), "code", number)
    if job.unread:
        building.uncertain("code that is not read")


FRONT = FrontEnd("SageMaker", translate, fields, code=read_code, finish=finish)
