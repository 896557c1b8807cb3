"""Each job has the files that it imports, and none of the other's."""

from __future__ import annotations

import ast
from pathlib import Path

from hbspec.shipped import templates
from hbspec.targets.job.shipped_files import ELSEWHERE, evaluation_files, training_files


def imported(file: Path) -> set[str]:
    """The names of the modules that a file imports from anywhere."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def reached(*starts: str) -> set[str]:
    """The shipped files that a job comes to from its programs."""
    found: set[str] = set()
    left = list(starts)
    while left:
        name = left.pop()
        folder = templates() / name
        files = [folder.with_suffix(".py")] if not folder.is_dir() else sorted(folder.glob("*.py"))
        for file in files:
            path = file.relative_to(templates()).as_posix()
            if file.is_file() and path not in found:
                found.add(path)
                left += imported(file)
    return found


def paths(files) -> set[str]:
    return {file.path for file in files} - {"requirements.txt"}


def test_a_training_job_has_what_its_programs_import():
    assert paths(training_files()) == reached("train", "launcher", "with_secrets")


def test_an_evaluation_has_what_it_imports():
    assert paths(evaluation_files()) == reached("evaluate", "suites", "run_task")


def test_nothing_is_forgotten():
    every = {path.relative_to(templates()).as_posix() for path in templates().rglob("*.py")}
    assert every == paths(training_files()) | paths(evaluation_files()) | ELSEWHERE
