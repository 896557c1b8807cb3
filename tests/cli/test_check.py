"""`hbspec check` from outside: what it prints, where, and its exit codes."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

BAD_RANK = ("--set", "hyperparameters.lora_r=0")


class TestExitCodes:
    def test_a_good_spec(self, hbspec):
        assert hbspec("check", "job.yaml") == (0, "no errors\n", "")

    def test_errors(self, hbspec):
        code, out, err = hbspec("check", "job.yaml", *BAD_RANK)
        assert (code, err) == (1, "")
        assert "error[HB024] out-of-range" in out
        assert out.endswith("1 error\n")

    def test_yaml_that_is_none_is_an_error(self, hbspec):
        hbspec.write("job.yaml", "hbspec: 1\nname: [\n")
        code, out, _ = hbspec("check", "job.yaml")
        assert code == 1
        assert "HB001" in out

    def test_a_missing_file(self, hbspec):
        code, out, err = hbspec("check", "nowhere.yaml")
        assert (code, err) == (2, "")
        assert out.startswith("nowhere.yaml: error[HB015] unreadable-file: `nowhere.yaml` does not exist\n")

    def test_a_file_that_a_spec_names_and_that_is_missing_is_an_error_in_the_spec(self, hbspec):
        hbspec.write("job.yaml", "extends: ./nowhere.yaml\n")
        code, out, _ = hbspec("check", "job.yaml")
        assert code == 1
        assert out.startswith("job.yaml:1:10: error[HB015]")

    @pytest.mark.parametrize(
        "words",
        [("--no-such-option",), ("--format", "xml"), ("--as-of", "yesterday"), ("--set",)],
        ids=lambda words: words[0],
    )
    def test_misuse(self, hbspec, words):
        code, out, err = hbspec("check", "job.yaml", *words)
        assert (code, out) == (2, "")
        assert words[0] in err

    def test_no_command(self, hbspec):
        code, out, err = hbspec()
        assert code == 2
        assert "Usage: hbspec" in out + err

    def test_a_command_that_there_is_not(self, hbspec):
        code, _, err = hbspec("chekc")
        assert code == 2
        assert "check" in err


class TestWhatIsChecked:
    def test_standard_input(self, hbspec):
        spec = (hbspec.folder / "job.yaml").read_bytes()
        assert hbspec("check", "-", stdin=spec) == (0, "no errors\n", "")
        code, out, _ = hbspec("check", "-", stdin=spec.replace(b"lora_r: 16", b"lora_r: 0"))
        assert code == 1
        assert out.startswith("-:28:11: error[HB024]")

    def test_a_folder_is_every_spec_below_it(self, hbspec):
        hbspec.write("more/deep/second.yml", "hbspec: 1\n")
        hbspec.write("more/docker-compose.yaml", "services: {}\n")
        code, out, _ = hbspec("check", "--format", "json", ".")
        assert code == 1
        report = json.loads(out)
        assert report["summary"]["files"] == 2
        assert report["summary"]["passed_over"] == ["more/docker-compose.yaml"]
        assert {entry["file"] for entry in report["diagnostics"]} == {"more/deep/second.yml"}

    def test_of_a_folder_what_is_passed_over_is_counted_and_named(self, hbspec):
        hbspec.write("compose.yaml", "services: {}\n")
        assert hbspec("check", ".")[:2] == (
            0,
            "ignored: 1 file that does not look like a spec (compose.yaml)\nno errors\n",
        )
        for number in range(7):
            hbspec.write(f"more/{number}.yml", "x: 1\n")
        assert "8 files that do not look like specs (compose.yaml, more/0.yml, " in hbspec("check", ".")[1]
        assert ", 3 more; --format json lists them all)\n" in hbspec("check", ".")[1]
        assert hbspec("check", ".", "--quiet")[:2] == (0, "")

    def test_what_is_passed_over_is_named_where_it_was_named_and_where_it_is_hidden(self, hbspec):
        hbspec.write("compose.yaml", "services: {}\n")
        said = "ignored: 1 file that does not look like a spec (compose.yaml)\nno errors in 0 files\n"
        assert hbspec("check", "--skip-other", "compose.yaml")[:2] == (0, said)
        hbspec.write(".hidden.yaml", "hbspec: 1\n")
        said = "ignored: 2 files that are hidden or do not look like specs (.hidden.yaml, compose.yaml)\nno errors\n"
        assert hbspec("check")[:2] == (0, said)

    def test_a_base_that_is_not_there_is_said(self, hbspec):
        hbspec.write("lost.yaml", "extends: ./gone.yaml\nname: z\n")
        code, out, _ = hbspec("check")
        assert code == 1
        assert "lost.yaml:1:10: error[HB015]" in out

    @pytest.mark.parametrize(
        ("name", "content", "code"),
        [
            ("typo.yaml", b"hbspc: 1\nname: x\n", "HB020"),
            ("utf16.yaml", "hbspec: 1\n".encode("utf-16"), "HB012"),
            ("other.json", b'{"hbspec": 1, "nmae": "x"}', "HB020"),
        ],
        ids=["a letter left out", "UTF-16", "JSON"],
    )
    def test_beside_a_good_spec_what_looks_like_one_is_judged(self, hbspec, name, content, code):
        (hbspec.folder / name).write_bytes(content)
        for words in ((), (".",), ("--skip-other", name, "job.yaml")):
            exit_code, out, _ = hbspec("check", *words)
            assert exit_code == 1
            assert f"{name}:1:" in out
            assert f"error[{code}]" in out

    def test_every_named_file_is_judged_whatever_is_wrong_with_the_others(self, hbspec):
        hbspec.write("bad.yaml", (hbspec.folder / "job.yaml").read_text().replace("lora_r: 16", "lora_r: 0"))
        (hbspec.folder / "empty").mkdir()
        code, out, _ = hbspec("check", "nope.yaml", "bad.yaml", "empty")
        assert code == 2
        assert "bad.yaml:28:11: error[HB024]" in out
        assert "nope.yaml: error[HB015]" in out
        assert "empty: error[HB015]" in out
        assert out.endswith("3 errors in 3 files\n")

    def test_no_path_is_the_working_folder(self, hbspec):
        assert hbspec("check")[:2] == (0, "no errors\n")

    def test_a_folder_without_specs(self, hbspec):
        (hbspec.folder / "empty").mkdir()
        code, out, _ = hbspec("check", "empty")
        assert code == 2
        assert "contains no spec" in out

    def test_several_files_are_one_report(self, hbspec):
        hbspec.write("second.yaml", "hbspec: 1\n")
        code, out, _ = hbspec("check", "job.yaml", "second.yaml")
        assert code == 1
        assert out.endswith(" in 2 files\n")

    def test_another_yaml_is_an_error_unless_it_is_to_be_skipped(self, hbspec):
        hbspec.write("compose.yaml", "services: {}\n")
        assert hbspec("check", "compose.yaml")[0] == 1
        assert hbspec("check", "--skip-other", "compose.yaml")[0] == 0
        code, out, _ = hbspec("check", "--skip-other", "compose.yaml", "job.yaml")
        assert (code, out.splitlines()[-1]) == (0, "no errors")
        assert hbspec("check", "--skip-other", "nowhere.yaml")[0] == 2


class TestOverrides:
    def test_a_key_that_there_is_not(self, hbspec):
        code, out, _ = hbspec("check", "job.yaml", "--set", "hyperparameters.lora_rank=8")
        assert code == 1
        assert "HB020" in out

    @pytest.mark.parametrize("override", ["lora_r", "=8", "name.short=x", "hyperparameters..lora_r=8", "name=[", "é"])
    def test_what_is_no_override(self, hbspec, override):
        code, out, err = hbspec("check", "job.yaml", "--set", override)
        assert (code, err) == (1, "")
        assert "error[HB019] bad-override" in out or "error[HB001]" in out

    def test_the_last_one_holds(self, hbspec):
        assert hbspec("check", "job.yaml", *BAD_RANK, "--set", "hyperparameters.lora_r=8")[0] == 0

    def test_the_day_decides_what_is_old(self, hbspec):
        hbspec.write("job.yaml", (hbspec.folder / "job.yaml").read_text().replace("  price: 1.515 USD/h", ""))
        assert "stale" in hbspec("check", "job.yaml", "--as-of", "2099-01-01")[1]


class TestFormats:
    def test_json(self, hbspec):
        code, out, _ = hbspec("check", "job.yaml", *BAD_RANK, "--format", "json")
        report = json.loads(out)
        assert (code, report["format_version"]) == (1, 1)
        (entry,) = report["diagnostics"]
        assert set(entry) == {
            "code", "name", "severity", "confidence", "file", "route", "span", "message", "help", "fixes", "also"
        }  # fmt: skip
        assert entry["route"] == ["hyperparameters", "lora_r"]
        assert report["summary"]["errors"] == 1

    def test_sarif(self, hbspec):
        _, out, _ = hbspec("check", "job.yaml", *BAD_RANK, "--format", "sarif")
        (run,) = json.loads(out)["runs"]
        (rule,) = run["tool"]["driver"]["rules"]
        assert (rule["id"], rule["name"]) == ("HB024", "out-of-range")

    def test_github(self, hbspec):
        hbspec.write("job.yaml", "hbspec: 1\nhbspec: 1\n")
        assert hbspec("check", "job.yaml", "--format=github")[1].startswith(
            "::error title=HB002 duplicate-key,file=job.yaml,"
        )

    def test_quiet(self, hbspec):
        assert hbspec("check", "-q", "job.yaml") == (0, "", "")


class TestSurroundings:
    def test_forty_columns(self, hbspec):
        hbspec.write(
            "job.yaml", (hbspec.folder / "job.yaml").read_text().replace("parallelism: single", "parallelism: zero9")
        )
        _, out, _ = hbspec("check", "job.yaml", COLUMNS="40")
        long = [line for line in out.splitlines() if len(line) > 40 and len(line.split()) > 1]
        assert not long
        assert "   ^^^^^" in out

    def test_a_pipe_gets_whole_lines(self, hbspec):
        _, out, _ = hbspec("check", "job.yaml", "--set", "hyperparameters.no_such_key=1")
        assert any(len(line) > 100 for line in out.splitlines())
        assert "\x1b" not in out

    @pytest.mark.parametrize(
        "environment",
        [
            {"LC_ALL": "C"},
            {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
            {"PYTHONIOENCODING": "ascii"},
        ],
        ids=["C", "C without UTF-8", "ascii"],
    )
    def test_a_locale_without_our_characters(self, hbspec, environment):
        text = (hbspec.folder / "job.yaml").read_text().replace("name: my-first-job", 'name: "mé模\\0"')
        hbspec.write("jöb.yaml", text)
        code, out, err = hbspec("check", "jöb.yaml", "--set", "hyperparameters.lorä=1", **environment)
        assert (code, err) == (1, "")
        assert "error[HB" in out

    def test_a_name_that_is_no_text(self, hbspec):
        if sys.platform == "darwin":
            return
        name = os.fsdecode(b"job-\xff.yaml")
        (hbspec.folder / name).write_text("hbspec: 1\n")
        code, out, _ = hbspec("check", name)
        assert code == 1
        assert out.startswith("job-\ufffd.yaml:")

    def test_a_reader_that_leaves(self, hbspec):
        import subprocess

        from .conftest import PLAIN

        reader, writer = os.pipe()
        os.close(reader)
        command = [sys.executable, "-m", "hbspec", "rules"]
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, cwd=hbspec.folder, env=PLAIN)
        os.close(writer)
        assert (done.returncode, done.stderr) == (141, b"")

    def test_a_full_disk(self, hbspec):
        import subprocess

        from .conftest import PLAIN

        if not Path("/dev/full").exists():
            return
        with Path("/dev/full").open("wb") as full:
            command = [sys.executable, "-m", "hbspec", "check", "job.yaml"]
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, cwd=hbspec.folder, env=PLAIN)
        assert done.returncode == 2
        assert done.stderr.startswith(b"hbspec: standard output: No space left on device; free some space")
        assert done.stderr.count(b"\n") == 1


def test_a_missing_file_is_counted_as_the_file_that_was_asked_for(hbspec):
    code, out, _ = hbspec("check", "nope.yaml")
    assert code == 2
    assert out.splitlines()[-1] == "1 error"
