"""Which training jobs' models the scripts take: where a record lets the model out, those of its own job alone."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from test_compile_gate import JOB, SUITES, record

from hbspec.analysis.release import Release
from hbspec.api import compile_spec

BASE = Path(__file__).parents[1] / "rules/base.yaml"
CHECK = re.compile(r"^case \$name in .+?^esac$", re.MULTILINE | re.DOTALL)


def check(target: str, script: str, release: Release | None) -> str | None:
    """The lines that look at the job's name, if there are any."""
    files = {
        file.path: file.content.decode() for file in compile_spec(BASE, target, overrides=[SUITES], release=release)
    }
    found = CHECK.search(files[script])
    return found and found[0]


@pytest.mark.parametrize(
    ("target", "script"), [("deployment", "deploy.sh"), ("cloudformation", "deploy.sh"), ("evaluation", "evaluate.sh")]
)
def test_another_jobs_model_is_not_taken_for_the_one_that_was_evaluated(target: str, script: str) -> None:
    lines = check(target, script, None if target == "evaluation" else record())
    assert lines is not None
    for name, code in ((JOB, 0), (f"{JOB}-2", 0), ("another-job", 1), (f"{JOB}x", 1), ("", 1)):
        done = subprocess.run(["bash", "-uc", f"name={name}\n{lines}"], capture_output=True, text=True)
        assert (done.returncode, "is not an attempt at" in done.stderr) == (code, code == 1), name


@pytest.mark.parametrize("target", ["deployment", "cloudformation"])
def test_what_a_reason_lets_out_may_be_any_job_s(target: str) -> None:
    assert check(target, "deploy.sh", Release(None, "", "an older model")) is None
