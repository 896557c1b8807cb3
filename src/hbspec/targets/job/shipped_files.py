"""Which of the shipped files go with a job: those that train, or those that evaluate the trained model.

A file that goes with a job is part of what identifies it, so neither job has files of the other.
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.shipped import templates
from hbspec.targets.lowering.artifact import Artifact

EVALUATION = frozenset({
    "answers.py", "asking.py", "endpoints.py", "evaluate.py", "local_model.py", "run_task.py", "scores.py",
    "significance.py",
})  # fmt: skip
"""The modules of `templates/` that evaluate, beside the folder of the suites."""
SUITES = "suites/"
ELSEWHERE = frozenset({"hbspec_job.py", "own_fingerprint.py", "paired.py"})
"""Modules of `templates/` that run in neither: with a script of the author's, and where records are compared."""
REQUIREMENTS = "requirements.txt"


def training_files() -> list[Artifact]:
    """The training script with all that it imports, and what is installed for it."""
    return [file for file in _shipped() if not _evaluates(file.path) and file.path not in ELSEWHERE]


def evaluation_files() -> list[Artifact]:
    """The harness with its suites, and what is installed for it."""
    return [file for file in _shipped() if _evaluates(file.path) or file.path == REQUIREMENTS]


def _evaluates(path: str) -> bool:
    return path in EVALUATION or path.startswith(SUITES)


def _shipped() -> Iterator[Artifact]:
    files = {path.relative_to(templates()).as_posix(): path for path in templates().rglob("*")}
    for name, path in sorted(files.items()):
        if path.suffix == ".py" or name == REQUIREMENTS:
            yield Artifact(name, path.read_bytes())
