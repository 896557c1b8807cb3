"""`hbspec diff` as a user runs it: two files, and revisions of real git repositories."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

SPEC = """\
hbspec: 1
name: bot
model: {id: Qwen/Qwen2.5-7B}
data: {train: {uri: "s3://acme/train/", examples: 4000}, tokens: {mean: 300, max: 900}}
instance: {type: ml.g5.12xlarge, region: us-east-1, parallelism: zero2, max_runtime: 20h}
hyperparameters: {method: qlora, learning_rate: 2e-4, num_train_epochs: 2, per_device_batch_size: 2, max_length: 1024}
sagemaker: {role: "arn:aws:iam::111122223333:role/Train", output: "s3://acme/models/"}
"""
BASE = SPEC.removeprefix("hbspec: 1\nname: bot\n")
A = "hbspec: 1\nextends: ../base.yaml\nname: a\n"
B = "hbspec: 1\nextends: ../base.yaml\nname: b\ndata: {train: {examples: 1758}, profile: ./p.json, tokens: null}\n"
PROFILE = Path(__file__).parents[2] / "specs" / "heartbeat.train.profile.json"
IDENTITY = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}


def git(folder, *words):
    environment = {**os.environ, **IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", *words], cwd=folder, env=environment, capture_output=True, check=True)
    return done.stdout.decode()


@pytest.fixture
def repository(hbspec):
    """Two specs that extend a base; one has a profile. All of it is committed."""
    (hbspec.folder / "job.yaml").unlink()
    hbspec.write("base.yaml", BASE)
    hbspec.write("jobs/a.yaml", A)
    hbspec.write("jobs/b.yaml", B)
    hbspec.write("jobs/p.json", PROFILE.read_text())
    git(hbspec.folder, "init", "--quiet", "--initial-branch", "main")
    commit(hbspec, "one")
    return hbspec


def commit(shell, message):
    git(shell.folder, "add", ".")
    git(shell.folder, "commit", "--quiet", "--message", message)


def changed(shell, *words, code=0):
    found, out, err = shell("diff", *words, "--format", "json")
    assert (found, err) == (code, "")
    return json.loads(out)


class TestTwoFiles:
    def test_keys_figures_and_job(self, hbspec):
        hbspec.write("old.yaml", SPEC)
        hbspec.write(
            "new.yaml",
            "extends: ./old.yaml\nhyperparameters: {num_train_epochs: 1, lora_r: 8}\nbudget: {max_cost: 900 USD}\n",
        )
        code, out, err = hbspec("diff", "old.yaml", "new.yaml")
        assert (code, err) == (0, "")
        head, _, file, fits, time, cost, job, *_ = out.splitlines()
        assert (head, file) == ("1 spec changed from old.yaml to new.yaml: no new errors", "new.yaml")
        assert (fits, job) == ("  It fits, as before", "  another job, which does not resume the old one")
        assert (time.split(":")[0], cost.split(":")[0]) == ("  time", "  cost")
        assert max(map(len, out.partition("\nKeys\n")[0].splitlines())) <= 80  # also in a pipe
        keys = out.partition("\nKeys\n")[2].partition("\n\n")[0].splitlines()
        assert [line.split() for line in keys] == [
            ["hyperparameters.num_train_epochs", "2", "->", "1"],
            ["hyperparameters.lora_r", "not", "set", "->", "8"],
            ["budget.max_cost", "not", "set", "->", "900", "USD"],
        ]
        assert "\nUpdates\n  old  1,000\n  new  500    500 less than old\n" in out
        assert "Effective batch size" not in out

    def test_what_does_not_decide_the_model_leaves_the_job_the_same(self, hbspec):
        hbspec.write("old.yaml", SPEC)
        hbspec.write("new.yaml", SPEC.replace("max_runtime: 20h", "max_runtime: 21h"))
        (spec,) = changed(hbspec, "old.yaml", "new.yaml")["specs"]
        assert spec["job"]["resumes"]
        assert spec["job"]["old"] == spec["job"]["new"]
        assert spec["keys"] == [{"route": ["instance", "max_runtime"], "old": "20h", "new": "21h", "file": "new.yaml"}]
        assert {found["same"] for figure in spec["figures"] for found in figure["differences"][1:]} == {True}

    def test_the_same_file(self, hbspec):
        hbspec.write("old.yaml", SPEC)
        assert hbspec("diff", "old.yaml", "old.yaml", "--exit-code") == (
            0,
            "No differences from old.yaml to old.yaml: 1 spec\n",
            "",
        )

    def test_the_content_of_a_named_file(self, hbspec):
        spec = SPEC.replace("tokens: {mean: 300, max: 900}", "profile: ./p.json")
        text = PROFILE.read_text()
        for folder, profile in (("x", text), ("y", text.rstrip() + "\n\n")):
            hbspec.write(f"{folder}/spec.yaml", spec)
            hbspec.write(f"{folder}/p.json", profile)
        (found,) = changed(hbspec, "x/spec.yaml", "y/spec.yaml")["specs"]
        assert found["contents"] == [{"key": "data.profile", "file": found["contents"][0]["file"]}]
        assert found["contents"][0]["file"].endswith("y/p.json")

    def test_one_that_is_invalid_shows_its_findings_and_the_figures_of_the_other(self, hbspec):
        hbspec.write("old.yaml", SPEC)
        hbspec.write("new.yaml", SPEC.replace("learning_rate: 2e-4", "learning_rate: fast"))
        code, out, _ = hbspec("diff", "old.yaml", "new.yaml")
        assert code == 1
        assert "\nnew.yaml\n  It cannot be estimated (1 error); before, it fits\n  1 new error\n" in out
        assert "\nFigures of the old version\n  Memory of the fullest GPU" in out
        assert "\nFindings\n  new   error[HB022] hyperparameters.learning_rate: " in out
        assert "gone" not in out
        code, out, _ = hbspec("diff", "new.yaml", "old.yaml")
        assert code == 0
        assert "\nFigures of the new version\n" in out
        assert "\n  gone  error[HB022]" in out

    def test_a_secret_is_in_no_format(self, hbspec):
        hbspec.write("old.yaml", SPEC)
        secret = "hf_" + "a1B2" * 9
        environment = f", environment: {{HF_TOKEN: {secret}, DB_PASSWORD: hunter2hunter2}}}}"
        hbspec.write("new.yaml", SPEC.replace('models/"}', 'models/"' + environment))
        for form in ("text", "json", "markdown"):
            _, out, _ = hbspec("diff", "old.yaml", "new.yaml", "--format", form)
            assert "HF_TOKEN" in out.replace("\\_", "_")
            assert secret not in out
            assert "hunter2hunter2" not in out


class TestRevisions:
    def test_nothing_changed(self, repository):
        assert repository("diff", "HEAD") == (0, "No differences from HEAD to the work tree: 2 specs\n", "")

    def test_the_base_changes_both_and_the_file_of_a_key_is_named(self, repository):
        repository.write("base.yaml", BASE.replace("max_length: 1024", "max_length: 512"))
        code, out, _ = repository("diff", "main")
        assert code == 0
        assert out.startswith("2 specs changed from main to the work tree: no new errors\n\njobs/a.yaml\n")
        assert out.count("  hyperparameters.max_length  1024 -> 512  in base.yaml\n") == 2

    def test_only_what_is_made_of_a_changed_file_is_judged(self, repository):
        profile = repository.folder / "jobs/p.json"
        profile.write_text(profile.read_text().rstrip() + "\n\n")
        found = changed(repository, "HEAD")
        assert found["unchanged"] == 1
        (spec,) = found["specs"]
        assert spec["file"] == "jobs/b.yaml"
        assert spec["contents"] == [{"key": "data.profile", "file": "jobs/p.json"}]

    def test_two_revisions_are_read_beside_any_work_tree(self, repository):
        repository.write("jobs/a.yaml", A + "hyperparameters: {num_train_epochs: 1}\n")
        commit(repository, "two")
        repository.write("jobs/a.yaml", "not: [a, spec")
        found = changed(repository, "HEAD~1..HEAD")
        assert (found["old"], found["new"], found["unchanged"]) == ("HEAD~1", "HEAD", 1)
        assert [key["route"] for key in found["specs"][0]["keys"]] == [["hyperparameters", "num_train_epochs"]]

    def test_three_dots_are_what_a_branch_changed_since_it_left(self, repository):
        git(repository.folder, "checkout", "--quiet", "-b", "branch")
        repository.write("jobs/a.yaml", A + "instance: {max_runtime: 3h}\n")
        commit(repository, "on the branch")
        git(repository.folder, "checkout", "--quiet", "main")
        repository.write("jobs/b.yaml", B + "budget: {max_cost: 900 USD}\n")
        commit(repository, "on main")
        assert [spec["file"] for spec in changed(repository, "main...branch")["specs"]] == ["jobs/a.yaml"]
        assert len(changed(repository, "main..branch")["specs"]) == 2

    def test_added_and_removed(self, repository):
        (repository.folder / "jobs/a.yaml").rename(repository.folder / "jobs/c.yaml")
        found = changed(repository, "HEAD")
        assert [(spec["file"], spec["status"]) for spec in found["specs"]] == [
            ("jobs/a.yaml", "removed"),
            ("jobs/c.yaml", "added"),
        ]
        _, out, _ = repository("diff", "HEAD", "jobs/c.yaml")
        assert "jobs/c.yaml\n  added\n  It fits\n  time: about " in out
        _, out, _ = repository("diff", "HEAD", "jobs/a.yaml")
        assert "jobs/a.yaml\n  removed\n" in out

    def test_a_folder_below_and_a_path_that_is_absolute(self, repository):
        repository.write("jobs/a.yaml", A + "instance: {max_runtime: 3h}\n")
        repository.write("base.yaml", BASE + "# a comment\n")
        found = changed(repository, "HEAD", str(repository.folder / "jobs" / "a.yaml"))
        assert [spec["file"] for spec in found["specs"]] == ["jobs/a.yaml"]
        assert len(changed(repository, "HEAD", "jobs")["specs"]) == 2

    def test_new_errors_and_differences_decide_the_exit_code(self, repository):
        repository.write("jobs/a.yaml", A + "instance: {max_runtime: 3h}\n")
        assert repository("diff", "HEAD")[0] == 0
        assert repository("diff", "HEAD", "--exit-code")[0] == 1
        repository.write("jobs/a.yaml", A + "expect: {training.epochs: 9.0}\n")
        found = changed(repository, "HEAD", code=1)
        assert found["new_errors"] == 1
        assert [entry["code"] for entry in found["specs"][0]["findings"]["new"]] == ["HB401"]
        commit(repository, "an error")
        repository.write("jobs/a.yaml", A + "expect: {training.epochs: 8.0}\n")
        assert changed(repository, "HEAD")["specs"][0]["findings"] == {"new": [], "gone": []}

    def test_nothing_is_written_and_nothing_of_the_repository_is_run(self, repository):
        config = {"diff.external": "touch ran", "core.fsmonitor": "touch ran", "core.pager": "touch ran"}
        for key, value in config.items():
            git(repository.folder, "config", key, value)
        git(repository.folder, "config", "filter.f.smudge", "touch ran; cat")
        repository.write(".gitattributes", "*.yaml filter=f diff=f export-ignore\n")
        commit(repository, "two")
        repository.write("base.yaml", BASE.replace("max_length: 1024", "max_length: 512"))
        before = state(repository.folder)
        assert repository("diff", "HEAD~1")[0] == 0
        assert state(repository.folder) == before

    def test_a_link_out_of_the_revision_is_not_followed(self, repository, tmp_path_factory):
        outside = tmp_path_factory.mktemp("outside") / "secret.json"
        outside.write_text(PROFILE.read_text())
        (repository.folder / "jobs/p.json").unlink()
        (repository.folder / "jobs/p.json").symlink_to(outside)
        commit(repository, "a link")
        (repository.folder / "jobs/p.json").unlink()
        repository.write("jobs/p.json", PROFILE.read_text())
        (spec,) = changed(repository, "HEAD")["specs"]
        (gone,) = [entry for entry in spec["findings"]["gone"] if entry["code"] == "HB030"]
        assert "leads out of the project folder HEAD:" in gone["message"]


def state(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("HEAD", "nope.yaml"), "neither HEAD nor the work tree has a spec at `nope.yaml`"),
        (("HEAD", "/etc/hosts"), "`/etc/hosts` is outside the repository "),
        (
            ("base.yaml",),
            "base.yaml is a file, and diff takes two of them, or a revision and a spec; name the other one",
        ),
    ],
)
def test_what_is_not_there(repository, words, said):
    code, out, err = repository("diff", *words)
    assert (code, out) == (2, "")
    assert err.startswith(f"hbspec: {said}")


@pytest.mark.parametrize(
    ("word", "revision", "instead"),
    [
        ("nope", "nope", "; `git log --oneline --all` lists its commits"),
        ("HEAD..mian", "mian", "; did you mean main?"),
        ("main..--output=x", "--output=x", ""),
    ],
)
def test_a_revision_that_does_not_exist(repository, word, revision, instead):
    said = f"hbspec: `{revision}` is neither a file nor a revision of this repository{instead}\n"
    assert repository("diff", word) == (1, "", said)


def test_no_repository_no_git_and_no_file(hbspec):
    code, _, err = hbspec("diff", "HEAD")
    assert code == 2
    assert "is not in a git repository" in err
    code, _, err = hbspec("diff", "HEAD", PATH=str(hbspec.folder))
    assert (code, err) == (2, "hbspec: git is not installed, so revisions cannot be compared; name two files\n")
    code, out, _ = hbspec("diff", "job.yaml", "nope.yaml")
    assert code == 2
    assert "error[HB015]" in out


def test_markdown_begins_with_the_verdict_in_one_line(repository):
    repository.write("jobs/a.yaml", A + "hyperparameters: {num_train_epochs: 1}\n")
    _, out, _ = repository("diff", "HEAD", "--format", "markdown")
    lines = out.splitlines()
    assert lines[0].startswith(
        "**hbspec**: 1 spec changed, 1 unchanged from HEAD to the work tree: no new errors. jobs/a.yaml"
    )
    assert "| hyperparameters.num\\_train\\_epochs | 2 | 1 |" in lines
    assert any(line.startswith("| Updates | 1,000 | 500<br>500 less than old |") for line in lines)


def test_narrow(repository):
    repository.write("jobs/a.yaml", A + "hyperparameters: {num_train_epochs: 1}\n")
    _, out, _ = repository("diff", "HEAD", COLUMNS="40")
    assert not [line for line in out.splitlines() if len(line) > 40 and " " in line.strip()]
