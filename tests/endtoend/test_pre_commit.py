"""The hook in the hands of the real pre-commit: cloned, installed in an environment of its own, run on commits."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
SHIPPED = ("src", "templates", "specs", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")
AUTHOR = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "A. Tester"), ("EMAIL", "tester@example.com"))
}


class Repository:
    """A git repository with settings of nobody's machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))}
        self.environment = inherited | AUTHOR | {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "PRE_COMMIT_HOME": str(folder.parent / "pre-commit"),
        }  # fmt: skip
        folder.mkdir(exist_ok=True)
        self.run("git", "init", "--quiet", "--initial-branch=main")

    def run(self, *command, check=True):
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def commit(self):
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message=x")
        return self.run("git", "rev-parse", "HEAD").stdout.strip()

    def hooks(self):
        self.run("git", "add", "--all")
        return self.run(sys.executable, "-m", "pre_commit", "run", "--all-files", "--verbose", check=False)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository with one good spec, whose hook is that of a clone of this working tree."""
    tmp = tmp_path_factory.mktemp("pre-commit")
    hook = Repository(tmp / "hbspec")
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, hook.folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, hook.folder / name)
    revision = hook.commit()
    user = Repository(tmp / "user")
    (user.folder / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {hook.folder.as_uri()}\n  rev: {revision}\n  hooks:\n"
        "  - {id: hbspec-check}\n  - {id: hbspec-fix, files: ^fixed}\n  - {id: hbspec-data-check}\n"
        "  - {id: hbspec-compiled-up-to-date, args: [job.yaml, --target, launch, --output, compiled]}\n"
    )
    shutil.copy(ROOT / "src/hbspec/cli/starter.yaml", user.folder / "job.yaml")
    user.run(*(sys.executable, "-m", "hbspec", "compile", "job.yaml", "--target", "launch", "--output", "compiled"))
    return user


def test_a_commit_with_a_good_spec_passes_and_with_a_bad_one_does_not(repository):
    (repository.folder / "compose.yaml").write_text("services: {}\n")
    passed = repository.hooks()
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "no errors" in passed.stdout

    (repository.folder / "bad.yaml").write_text("hbspec: 1\nname: x\nnames: y\n")
    failed = repository.hooks()
    assert failed.returncode == 1
    assert "exit code: 1" in failed.stdout
    assert "bad.yaml:3:1: error[HB020] unknown-key" in failed.stdout
    assert "compose.yaml:" not in failed.stdout


def test_the_other_hooks_fail_on_what_they_are_for(repository):
    (repository.folder / "bad.yaml").unlink(missing_ok=True)
    job = (repository.folder / "job.yaml").read_text()
    (repository.folder / "job.yaml").write_text(job.replace("lora_dropout: 0.05", "lora_dropout: 0.06"))
    (repository.folder / "fixed.yaml").write_text(job.replace("hbspec: 1 ", 'hbspec: "1" '))
    (repository.folder / "train.jsonl").write_text("{}\n")
    said = repository.hooks().stdout
    assert "compiled is not what job.yaml compiles to" in said
    assert "hbspec: 1 " in (repository.folder / "fixed.yaml").read_text()
    assert "files were modified by this hook" in said
    assert "train.jsonl:1:" in said
