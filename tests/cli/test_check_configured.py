"""`hbspec check` with a configuration, and its other formats."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest


@pytest.fixture
def many(hbspec):
    """A folder with a spec that has an unknown key beside the good one."""
    text = (hbspec.folder / "job.yaml").read_text()
    hbspec.write("bad.yaml", text.replace("hbspec: 1", "hbspec: 1\nextra: 1"))
    return hbspec


def found(shell, *words):
    code, out, _ = shell("check", "job.yaml", "--format", "json", "--set", "budget.max_cost=0.01 USD", *words)
    report = json.loads(out)
    return code, {entry["code"]: entry["severity"] for entry in report["diagnostics"]}, report["summary"]


def test_select_and_ignore(hbspec):
    code, every, summary = found(hbspec)
    assert code == 1
    assert "error" in every.values()
    assert summary["ignored"] == 0
    some = next(iter(every))
    assert set(found(hbspec, "--select", some)[1]) == {some}
    _, others, summary = found(hbspec, "--ignore", some)
    assert set(others) == set(every) - {some}
    assert summary["ignored"] >= 1
    assert found(hbspec, "--ignore", "HB1", "--ignore", "HB2", "--ignore", "HB3", "--ignore", "HB4")[0] == 0


def test_severity_decides_the_exit_code(hbspec):
    _, every, _ = found(hbspec)
    lowered = ", ".join(f'{family} = "warning"' for family in ("HB1", "HB2", "HB3", "HB4"))
    hbspec.write("hbspec.toml", f"severity = {{{lowered}}}")
    code, now, _ = found(hbspec)
    assert (code, set(now)) == (0, set(every))
    assert found(hbspec, "--strict")[0] == 1
    assert found(hbspec, "--no-config")[0] == 1
    assert found(hbspec, "--no-config", "--exit-zero")[0] == 0
    hbspec.write("hbspec.toml", f"severity = {{{lowered}}}\nstrict = true")
    assert found(hbspec)[0] == 1


def test_compile_is_stopped_by_what_check_calls_an_error(hbspec):
    words = ("compile", "job.yaml", "-o", "out", "--target", "launch", "--set", "budget.max_cost=0.01 USD")
    assert hbspec(*words)[0] == 1
    hbspec.write("own.toml", 'ignore = ["HB3"]')
    assert hbspec(*words, "--config", "own.toml")[0] == 0
    assert hbspec(*words, "--config", "own.toml", "--no-config")[0] == 2


def test_a_configuration_that_cannot_be_used_judges_nothing(hbspec):
    hbspec.write("pyproject.toml", "[tool.hbspec]\nselekt = []\n")
    code, out, err = hbspec("check", "job.yaml")
    assert (code, out) == (2, "")
    assert err.startswith("pyproject.toml: selekt: error[HB070] configuration-unusable: selekt is not a key\n")
    assert "help: use select" in err
    assert hbspec("check", "job.yaml", "--config", "none.toml")[0] == 2
    assert hbspec("check", "job.yaml", "--no-config")[0] == 0


def test_a_word_that_is_no_code(hbspec):
    code, _, err = hbspec("check", "job.yaml", "--ignore", "idle-gpu")
    assert (code, err) == (2, "hbspec: --ignore: idle-gpu is neither a code nor a name; did you mean idle-gpus?\n")
    assert hbspec("check", "job.yaml", "--ignore", "HB605")[0] == 2


class TestFormats:
    def test_concise(self, many):
        code, out, _ = many("check", "bad.yaml", "--format", "concise")
        assert code == 1
        assert out.startswith("bad.yaml:4:1: error[HB020")
        assert out.count("\n") == 1

    def test_gitlab(self, many):
        entries = json.loads(many("check", "bad.yaml", "--format", "gitlab")[1])
        assert {"check_name", "description", "fingerprint", "severity", "location"} == set(entries[0])
        assert entries[0]["location"] == {"path": "bad.yaml", "lines": {"begin": 4}}
        (many.folder / "bad.yaml").write_text("\n\n" + (many.folder / "bad.yaml").read_text())
        moved = json.loads(many("check", "bad.yaml", "--format", "gitlab")[1])
        assert [entry["fingerprint"] for entry in moved] == [entry["fingerprint"] for entry in entries]
        assert moved[0]["location"]["lines"] == {"begin": 6}

    def test_junit(self, many):
        code, out, _ = many("check", "job.yaml", "bad.yaml", "--format", "junit")
        assert code == 1
        root = ElementTree.fromstring(out)
        assert {suite.get("name"): suite.get("failures") for suite in root} == {"job.yaml": "0", "bad.yaml": "1"}
        assert int(root.get("tests")) == sum(1 for _ in root.iter("testcase"))
        assert int(root.get("failures")) == sum(1 for _ in root.iter("failure"))

    def test_markdown_has_no_meaning_of_the_author_s(self, many):
        many.write("bad.yaml", "hbspec: 1\nname: '<b>*x* | y'\n")
        _, out, _ = many("check", "bad.yaml", "--format", "markdown")
        assert out.startswith("**hbspec:** ")
        assert "<b>" not in out
        rows = [line for line in out.splitlines() if line.startswith("| ")]
        assert all(line.replace("\\|", "").count("|") == 5 for line in rows)

    def test_statistics(self, many):
        code, out, _ = many("check", "bad.yaml", "--statistics")
        assert (code, out.split()[0]) == (1, "1")
        counts = json.loads(many("check", "bad.yaml", "--statistics", "--format", "json")[1])["statistics"]
        assert sum(entry["count"] for entry in counts) == out.count("\n")

    def test_a_file(self, many):
        code, out, _ = many("check", "bad.yaml", "--output-file", "report.txt")
        assert (code, out) == (1, "")
        assert (many.folder / "report.txt").read_text() == many("check", "bad.yaml")[1]
        code, _, err = many("check", "bad.yaml", "--output-file", "bad.yaml")
        assert code == 2
        assert "is one of the files that are read" in err
        assert many("check", "bad.yaml", "--output-file", "none/x")[0] == 2

    def test_colours_that_are_asked_for(self, many):
        assert "\x1b[" in many("check", "bad.yaml", FORCE_COLOR="1")[1]
        assert "\x1b[" not in many("check", "bad.yaml", FORCE_COLOR="")[1]


class TestAllowances:
    def test_one_that_allows_nothing_is_a_finding(self, hbspec):
        text = (hbspec.folder / "job.yaml").read_text()
        hbspec.write("job.yaml", "# hbspec: allow-file HB109, idle-gpus -- why\n" + text)
        code, out, _ = hbspec("check", "job.yaml", "--format", "concise")
        assert code == 0
        assert "job.yaml:1:3: warning[HB071] allowance-without-effect: HB109, idle-gpus is not found here" in out
        assert "HB071" not in hbspec("check", "job.yaml", "--ignore", "HB071", "--format", "concise")[1]
        assert "HB071" not in hbspec("check", "job.yaml", "--select", "HB3", "--format", "concise")[1]

    def test_nor_is_one_that_names_no_code(self, hbspec):
        text = (hbspec.folder / "job.yaml").read_text()
        hbspec.write("job.yaml", text + "# hbspec: allow HB999\n")
        assert "HB999 is not a code or a name" in hbspec("check", "job.yaml")[1]

    def test_one_that_allows_is_none(self, hbspec):
        text = (hbspec.folder / "job.yaml").read_text() + "monitoring: {gpu_memory: {max: 1 GB}}\n"
        hbspec.write("job.yaml", text)
        code, out, _ = hbspec("check", "job.yaml", "--format", "concise")
        assert (code, "HB110" in out) == (1, True)
        hbspec.write("job.yaml", text + "# hbspec: allow-file HB110\n")
        code, out, _ = hbspec("check", "job.yaml")
        assert code == 0
        assert "HB071" not in out
        assert "1 allowed" in out
