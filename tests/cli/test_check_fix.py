"""`hbspec check --fix` and `--diff` on files."""

from __future__ import annotations

import json

import pytest

from hbspec.cli import main
from hbspec.cli.first_spec import STARTER

TEXT = STARTER.read_text(encoding="utf-8")
SILENT = TEXT.replace("instance:", "instance:\n  max_wait: 9h # never", 1)


@pytest.fixture
def silent(hbspec):
    hbspec.write("job.yaml", SILENT)
    return hbspec


def test_a_file_is_fixed_and_what_is_left_is_reported(silent):
    code, out, err = silent("check", "job.yaml", "--fix")
    assert (code, out) == (0, "no errors\n")
    assert err.startswith("fixed job.yaml:")
    assert "HB316 max-wait-without-spot: delete max_wait" in err
    assert (silent.folder / "job.yaml").read_text() == TEXT
    assert sorted(path.name for path in silent.folder.iterdir()) == ["job.yaml"]


def test_a_diff_changes_nothing(silent):
    code, out, err = silent("check", "job.yaml", "--diff")
    assert code == 1
    assert "-  max_wait: 9h # never\n" in out
    assert [line for line in out.splitlines() if line[:1] == "+"] == ["+++ job.yaml (fixed)"]
    assert err.startswith("would fix job.yaml:")
    assert (silent.folder / "job.yaml").read_text() == SILENT
    assert silent("check", "job.yaml", "--diff", "--exit-zero")[0] == 0
    silent.write("job.yaml", TEXT)
    assert silent("check", "job.yaml", "--diff") == (0, "", "")


def test_line_ends_mark_and_mode_stay(silent):
    file = silent.folder / "job.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + SILENT.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    assert silent("check", "job.yaml", "--fix")[0] == 0
    assert file.read_bytes() == b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode()
    assert file.stat().st_mode & 0o777 == 0o640


def test_every_file_of_a_folder(silent):
    silent.write("more/b.yaml", SILENT)
    silent.write("more/broken.yaml", "hbspec: 1\nname: [\n")
    code, _, err = silent("check", ".", "--fix")
    assert code == 1
    assert err.count("fixed ") == 2
    assert (silent.folder / "more" / "b.yaml").read_text() == TEXT
    assert (silent.folder / "more" / "broken.yaml").read_text() == "hbspec: 1\nname: [\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-", "--fix"), "standard input has none"),
        (("job.yaml", "--fix", "--set", "name=x"), "the values of --set are not"),
        (("job.yaml", "--unsafe-fixes"), "--unsafe-fixes goes with --fix or --diff"),
    ],
)
def test_what_cannot_be_fixed_in_a_file(silent, words, said):
    code, out, err = silent("check", *words, stdin=SILENT.encode())
    assert (code, out) == (2, "")
    assert said in err


def test_a_file_that_changes_meanwhile_is_left(silent, monkeypatch, capsys):
    file = silent.folder / "job.yaml"
    monkeypatch.chdir(silent.folder)
    from hbspec.cli import fixed_specs

    judge = fixed_specs._judge

    def slow(*given):
        file.write_text("# somebody else's\n" + SILENT)
        return judge(*given)

    monkeypatch.setattr(fixed_specs, "_judge", slow)
    assert main(["check", "job.yaml", "--fix"]) == 2
    assert "changed since it was read" in capsys.readouterr().err
    assert file.read_text() == "# somebody else's\n" + SILENT


def test_a_file_that_cannot_be_written(silent, monkeypatch, capsys):
    monkeypatch.chdir(silent.folder)

    def full(*_, **__):
        raise OSError(28, "No space left on device", "job.yaml")

    monkeypatch.setattr("hbspec.cli.whole.write_through", full)
    assert main(["check", "job.yaml", "--fix"]) == 2
    assert "job.yaml: No space left on device" in capsys.readouterr().err
    assert (silent.folder / "job.yaml").read_text() == SILENT


def test_a_read_only_file_is_left(silent):
    file = silent.folder / "job.yaml"
    file.chmod(0o444)
    code, _, err = silent("check", "job.yaml", "--fix")
    assert (code, file.read_text()) == (2, SILENT)
    assert "job.yaml was not changed: it is read-only" in err


def test_one_that_cannot_be_written_does_not_stop_the_others(silent):
    silent.write("a.yaml", SILENT)
    silent.write("z.yaml", SILENT)
    (silent.folder / "job.yaml").chmod(0o444)
    code, out, err = silent("check", ".", "--fix", "--format", "json")
    assert (code, err.count("fixed "), err.count("was not changed")) == (2, 2, 1)
    assert [one["file"] for one in json.loads(out)["diagnostics"]] == ["job.yaml"]


def test_a_fix_that_renames_has_no_value_in_json(hbspec):
    hbspec.write("typo.yaml", TEXT.replace("lora_alpha", "lora_alhpa"))
    (found,) = json.loads(hbspec("check", "typo.yaml", "--format", "json")[1])["diagnostics"]
    route = ["hyperparameters", "lora_alhpa"]
    assert found["fixes"] == [
        {"title": "rename it to lora_alpha", "route": route, "rename": "lora_alpha", "safe": False}
    ]
    assert hbspec("check", "typo.yaml", "--fix", "--unsafe-fixes")[0] == 0
    assert (hbspec.folder / "typo.yaml").read_text() == TEXT
