"""The workflow and the template for pull requests: valid, and run step by step in a real repository."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from documentation import DOCS, blocks

CI = DOCS / "ci"
GITHUB, GITLAB = CI / "github-workflow.yml", CI / "gitlab-ci.yml"
# what DeepSpeed reserves is not replayed, and estimated in a moment
SPEC = blocks(DOCS / "pull-requests.md", "yaml")[0].replace("parallelism: ddp", "parallelism: zero2")
INSTALLS = 'python -m pip install "$HBSPEC"'
GH = '#!/bin/sh\nfor word in "$@"; do echo "$word"; done > "$RUNNER_TEMP/gh.txt"\n'


@pytest.mark.parametrize(("schema", "file"), [("github-workflows", GITHUB), ("gitlab-ci", GITLAB)])
def test_they_are_valid(schema, file):
    program = [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", f"vendor.{schema}"]
    if schema == "gitlab-ci":
        program += ["--data-transform", "gitlab-ci"]
    done = subprocess.run([*program, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def branch(tmp_path):
    """A repository whose branch changes a spec, and the variables of a run; `tmp` lies beside it."""
    folder, beside = tmp_path / "repository", tmp_path / "beside"
    for made in (folder, beside):
        made.mkdir()
    (beside / "gh").write_text(GH)
    (beside / "gh").chmod(0o755)
    programs = (str(beside), str(Path(sys.executable).parent), os.environ["PATH"])
    variables = {
        **os.environ,
        "PATH": os.pathsep.join(programs),
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        "RUNNER_TEMP": str(beside),
        "GITHUB_STEP_SUMMARY": str(beside / "summary.md"),
        "NUMBER": "7",
    }

    def shell(script):
        command = ["bash", "-e", "-o", "pipefail", "-c", script]
        return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)

    (folder / "bot.yaml").write_text(SPEC)
    assert shell("git init -q -b main && git add . && git commit -qm one").returncode == 0
    base = shell("git rev-parse HEAD").stdout.strip()
    variables |= {"BASE": base, "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    return folder, beside, shell


def change(branch, old, new):
    folder, _, shell = branch
    (folder / "bot.yaml").write_text(SPEC.replace(old, new))
    assert shell("git checkout -q -b change && git commit -qam two").returncode == 0


def steps():
    (job,) = yaml.safe_load(GITHUB.read_text())["jobs"].values()
    return {step["name"]: step["run"] for step in job["steps"] if "run" in step}


def test_a_pull_request_that_is_fine(branch):
    change(branch, "epochs: 2", "epochs: 3")
    _, beside, shell = branch
    found = steps()
    assert found.pop("Install hbspec") == INSTALLS
    assert [shell(script).returncode for script in found.values()] == [0, 0, 0]
    summary = (beside / "summary.md").read_text()
    assert summary.startswith("**hbspec**: 1 spec changed from ")
    assert "| hyperparameters.num\\_train\\_epochs | 2 | 3 |" in summary
    assert (beside / "comment.md").read_text() == summary
    words = (beside / "gh.txt").read_text().splitlines()
    assert words == ["pr", "comment", "7", "--body-file", str(beside / "comment.md"), "--edit-last", "--create-if-none"]


def test_a_pull_request_with_an_error_fails_and_is_still_commented_on(branch):
    change(branch, "learning_rate: 2e-4", "learning_rat: 2e-4")
    _, beside, shell = branch
    check, diff, comment = (shell(steps()[name]) for name in list(steps())[1:])
    assert check.returncode == diff.returncode == 1
    assert check.stdout.startswith("::error title=HB020")
    assert comment.returncode == 0
    assert "It cannot be estimated" in (beside / "comment.md").read_text()


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("old", "new", "code"), [("epochs: 2", "epochs: 3", 0), ("epochs: 2", "epochs: two", 1)])
def test_a_merge_request(branch, old, new, code):
    change(branch, old, new)
    folder, _, shell = branch
    job = yaml.safe_load(GITLAB.read_text())["hbspec"]
    assert job["before_script"] == [INSTALLS]
    done = shell("\n".join(job["script"]))
    assert done.returncode == code
    assert (folder / "hbspec.md").read_text() in done.stdout
    assert job["artifacts"]["paths"] == ["hbspec.md"]
