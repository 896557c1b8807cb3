"""`hbspec report` as a user runs it: what it writes, what it keeps, and what it refuses."""

from __future__ import annotations

import os
import shutil

import pytest

from hbspec.cli import report
from hbspec.cli.command import MisuseError
from hbspec.cli.print_page import BROWSERS, is_printed

SPEC = """\
hbspec: 1
name: bot
model: {id: Qwen/Qwen2.5-0.5B}
data: {train: {uri: "s3://acme/train/", examples: 4000}, tokens: {mean: 300, max: 900}}
instance: {type: ml.g5.xlarge, region: us-east-1, max_runtime: 20h}
hyperparameters: {method: lora, learning_rate: 2e-4, num_train_epochs: 2, per_device_batch_size: 2, max_length: 1024}
"""
BROKEN = SPEC.replace("id: Qwen/Qwen2.5-0.5B", "idd: x")
HEXADECIMAL = "hbspec report".encode("utf-16-be").hex().upper().encode()
MARKDOWN = ("--format", "markdown", "--as-of", "2026-11-30")


@pytest.fixture
def one(hbspec):
    hbspec.write("a.yaml", SPEC)
    hbspec.write("broken.yaml", BROKEN)
    return hbspec


def test_a_page_is_written_and_replaced(one):
    assert one("report", "a.yaml", "--as-of", "2026-11-30") == (0, "", "report.html: written\n")
    page = one.folder / "report.html"
    assert page.read_text().startswith("<!doctype html>\n")
    assert one("report", "a.yaml", *MARKDOWN, "-o", "report.html")[0] == 0
    assert page.read_text().startswith("<!-- hbspec report -->\n# bot\n")
    assert sorted(path.name for path in one.folder.iterdir()) == ["a.yaml", "broken.yaml", "job.yaml", "report.html"]


@pytest.mark.parametrize(("name", "begins"), [("plan.md", "<!-- hbspec"), ("plan.HTM", "<!doctype"), ("plan", "<!doc")])
def test_the_ending_says_the_format(one, name, begins):
    assert one("report", "a.yaml", "-o", name) == (0, "", f"{name}: written\n")
    assert (one.folder / name).read_text().startswith(begins)


def test_a_report_in_french_replaces_one_in_english(one):
    for lang, heading in (("en", "\n## Memory\n"), ("fr", "\n## Mémoire\n")):
        assert one("report", "a.yaml", *MARKDOWN, "--lang", lang) == (0, "", "report.md: written\n")
        assert heading in (one.folder / "report.md").read_text()


def test_a_language_without_a_catalogue_is_refused(one):
    code, out, err = one("report", "a.yaml", *MARKDOWN, "--lang", "FR")
    assert (code, out) == (2, "")
    assert err == "hbspec: --lang FR is not one of en, fr; did you mean fr?\n"
    assert not (one.folder / "report.md").exists()


def test_another_file_is_kept(one):
    code, out, err = one("report", "a.yaml", *MARKDOWN, "-o", "a.yaml")
    assert (code, out) == (2, "")
    assert err == "hbspec: a.yaml is not a report of hbspec, and is kept: name another file with -o\n"
    assert (one.folder / "a.yaml").read_text() == SPEC


def test_a_spec_that_cannot_be_estimated_has_no_page(one):
    code, out, err = one("report", "broken.yaml", *MARKDOWN)
    assert (code, out) == (1, "")
    assert "model has no key `idd`" in err
    assert not (one.folder / "report.md").exists()


def test_beside_others_it_is_named_with_its_errors(one):
    code, _, err = one("report", "a.yaml", "broken.yaml", *MARKDOWN)
    assert code == 1
    assert err.endswith("report.md: written\n")
    text = (one.folder / "report.md").read_text()
    assert "**1 of the specs could not be estimated.**" in text
    assert "| broken.yaml |" in text


@pytest.mark.parametrize(
    ("place", "said"),
    [("missing/report.md", "No such file or directory; correct the path"), ("folder", "Is a directory; name a file")],
)
def test_a_place_that_cannot_be_written(one, place, said):
    (one.folder / "folder").mkdir()
    code, out, err = one("report", "a.yaml", *MARKDOWN, "-o", place)
    assert (code, out) == (2, "")
    assert err == f"hbspec: {place}: {said}\n"
    assert not list((one.folder / "folder").iterdir())


def test_a_report_is_a_file(one):
    code, out, err = one("report", "a.yaml", *MARKDOWN, "-o", "-")
    assert (code, out) == (2, "")
    assert err == "hbspec: a report is a file: name one with -o, such as report.html\n"
    assert not (one.folder / "-").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_without_the_right_to_write(one):
    (one.folder / "folder").mkdir(mode=0o500)
    code, _, err = one("report", "a.yaml", *MARKDOWN, "-o", "folder/report.md")
    assert (code, err) == (2, "hbspec: folder/report.md: Permission denied; change its permissions, or name another\n")


def test_without_vl_convert_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(report, "find_spec", lambda name: None)
    with pytest.raises(MisuseError, match=r"pip install 'hbspec\[report\]', or --format markdown"):
        report.run(("a.yaml",), None, (), None, False, None, "html", False, "en")


def test_without_babel_only_english_is_written(monkeypatch):
    monkeypatch.setattr(report, "find_spec", lambda name: None)
    with pytest.raises(
        MisuseError, match=r"--lang fr writes numbers and days with babel: pip install 'hbspec\[report\]'"
    ):
        report.run(("a.yaml",), None, (), None, False, None, "markdown", False, "fr")


def test_without_chromium_a_pdf_is_refused_before_anything_is_estimated(one, monkeypatch):
    monkeypatch.setattr("hbspec.cli.print_page.BROWSERS", ())
    with pytest.raises(MisuseError, match="--format pdf prints with Chromium, which is not on the PATH"):
        report.run(("nowhere.yaml",), None, (), None, False, None, "pdf", False, "en")


def a_browser(folder, monkeypatch, script):
    program = folder / "chromium"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_a_browser_that_prints_nothing_leaves_the_report_as_it_was(one, monkeypatch):
    a_browser(one.folder, monkeypatch, "exit 1")
    monkeypatch.chdir(one.folder)
    (one.folder / "report.pdf").write_bytes(b"%PDF-1.4 (bot: hbspec report)")
    with pytest.raises(MisuseError, match="printed nothing"):
        report.run(("a.yaml",), None, (), None, False, None, "pdf", False, "en")
    assert (one.folder / "report.pdf").read_bytes() == b"%PDF-1.4 (bot: hbspec report)"


@pytest.mark.parametrize(
    ("head", "report_of_ours"),
    [
        (b"%PDF-1.4\n1 0 obj\n<</Title (bot: hbspec report)", True),
        (
            b"%PDF-1.4\n1 0 obj\n<</Title <FEFF0031003A0020"
            + "hbspec report".encode("utf-16-be").hex().upper().encode(),
            True,
        ),
        (b"%PDF-1.4\n1 0 obj\n<</Title (an invoice)", False),
        (b"notes on my hbspec report", False),
    ],
)
def test_a_printed_report_is_told_from_another_pdf(head, report_of_ours):
    assert is_printed(head) is report_of_ours


@pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="there is no Chromium")
def test_a_report_is_printed_and_replaced(one):
    for _ in range(2):
        code, _, err = one("report", "a.yaml", "--format", "pdf", "--as-of", "2026-11-30")
        assert (code, err) == (0, "report.pdf: written\n")
    head = (one.folder / "report.pdf").read_bytes()[: report.HEAD_BYTES]
    assert is_printed(head)
