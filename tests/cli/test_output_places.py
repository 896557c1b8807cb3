"""What is written to a place where something is: a link, a pipe, a file with a mode of its own, a file that is read."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from hbspec.cli import main
from hbspec.cli.command import MisuseError
from hbspec.cli.edited_spec import replace_text
from hbspec.cli.whole import LOCK, alone_in, write_file

BASE = str(Path(__file__).parents[1] / "rules/base.yaml")


def check(place: Path) -> int:
    words = ("--format", "concise", "--set", "instance.max_wait=9h", "--output-file", str(place))
    return main(["check", BASE, *words])


def test_a_pipe_is_written_into_and_stays(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        check(pipe)
        assert b"HB316" in os.read(reader, 65536)
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert [entry.name for entry in tmp_path.iterdir()] == ["pipe"]


def test_a_link_stays_and_its_file_is_written(tmp_path):
    target, link = tmp_path / "report.txt", tmp_path / "link"
    target.write_text("before")
    link.symlink_to(target)
    check(link)
    assert link.is_symlink()
    assert "HB316" in target.read_text()


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="Linux has it")
def test_a_full_device_is_an_error_and_stays(tmp_path, capsys):
    link = tmp_path / "full"
    link.symlink_to("/dev/full")  # which renaming would replace, and not the device
    assert check(link) == 2
    assert "No space left" in capsys.readouterr().err
    assert link.is_symlink()


def test_what_replaces_a_file_keeps_its_mode_at_every_moment(tmp_path, monkeypatch):
    secret, seen = tmp_path / "secret", []
    secret.write_text("before")
    secret.chmod(0o600)
    monkeypatch.setattr(
        "os.fsync",
        lambda _: seen.append({each.stat().st_mode & 0o777 for each in tmp_path.iterdir() if each.name != LOCK}),
    )
    write_file(secret, b"after", replace=True)
    assert seen == [{0o600}, {0o600}]
    assert (secret.read_text(), secret.stat().st_mode & 0o777) == ("after", 0o600)


@pytest.mark.parametrize("words", [("report", BASE, "--format", "markdown", "-o")])
def test_a_link_to_what_is_replaced_stays(words, tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    for place in (target, link):
        assert main([*words, str(place)]) == 0
        if place == target:
            link.symlink_to(target)
    assert link.is_symlink()
    assert [entry.name for entry in sorted(tmp_path.iterdir())] == ["link", "target"]


@pytest.mark.parametrize(
    "words",
    [
        ("report", BASE, "--format", "markdown", "-o"),
        ("catalog", "refresh", "prices", "--region", "us-east-1", "--url", "https://localhost:1/{region}", "-o"),
    ],
)
def test_a_pipe_is_not_waited_for_to_see_whose_file_it_is(words, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        run = threading.Thread(target=main, args=([*words, str(pipe)],), daemon=True)
        run.start()
        run.join(300)
        assert not run.is_alive()
    finally:
        os.close(reader)


def test_an_edit_is_of_the_text_that_is_there_when_it_is_written(tmp_path):
    spec = tmp_path / "job.yaml"
    spec.write_text("name: a\n")
    failed = []

    def edit():
        try:
            replace_text(spec, "name: a\n", "name: b\n")
        except MisuseError as reason:
            failed.append(str(reason))

    with alone_in(tmp_path):  # another writer, that is not done yet
        second = threading.Thread(target=edit)
        second.start()
        second.join(0.2)
        spec.write_text("name: c\n")
    second.join(300)
    assert spec.read_text() == "name: c\n"
    assert failed == [f"{spec} was not changed: it is not in UTF-8, or changed since it was read"]


def test_nor_over_a_file_of_an_option(hbspec):
    hbspec.write("known.json", '{"format_version": 1, "findings": []}')
    hbspec.write("job.yaml", "hbspec: 1\n")
    code, _, err = hbspec("check", "job.yaml", "--baseline", "known.json", "--output-file", "known.json")
    assert (code, err) == (2, "hbspec: --output-file known.json is one of the files that are read: name another\n")


@pytest.mark.parametrize("named", ["base.yaml", "train.profile.json", "configs/model.json", "ds.json"])
def test_a_report_is_not_written_over_a_file_that_the_spec_names(named, hbspec):
    for name in ("base.yaml", "train.profile.json", "configs/model.json", "ds.json"):
        hbspec.write(name, "{}")
    hbspec.write("base.yaml", "hbspec: 1\nmodel: {config: ./configs/model.json}\ndata: {profile: train.profile.json}\n")
    hbspec.write("job.yaml", "extends: base.yaml\nname: job\nhyperparameters: {deepspeed: ./ds.json}\n")
    before = (hbspec.folder / named).read_bytes()
    code, _, err = hbspec("check", "job.yaml", "--output-file", named)
    assert (code, (hbspec.folder / named).read_bytes()) == (2, before)
    assert f"--output-file {named} is one of the files that job.yaml names: name another" in err
