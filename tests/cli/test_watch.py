"""`hbspec watch` and `hbspec verify` from outside: what is printed, the exit codes, and bad input."""

from __future__ import annotations

import gzip
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from made_logs import LOGS, SPEC, done_line, run_line, stamped, update_line, whole_log

from hbspec.plan.measurement_file import read_measurement

from .conftest import PLAIN

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def text_of(lines):
    return "".join(f"{line}\n" for line in lines)


@pytest.fixture
def job(hbspec):
    """A folder with the spec `bot.yaml`, the same with bounds as `strict.yaml`, and a whole log."""
    hbspec.write("bot.yaml", json.dumps(SPEC))
    bounds = {"monitoring": {"gpu_memory": {"max": "1 GB"}}, "expect": {"training.optimizer_steps": 60}}
    hbspec.write("strict.yaml", json.dumps({**SPEC, **bounds}))
    hbspec.write("job.log", text_of(whole_log()))
    return hbspec


class TestWatch:
    def test_predicted_and_measured_side_by_side(self, job):
        code, out, err = job("watch", "bot.yaml", "job.log")
        assert (code, err) == (0, "")
        assert out.startswith("job.log: done after update 60\n[##############################] 100 %\n")
        (update,) = re.findall(r"^update  .*$", out, re.M)
        assert update.split()[-3:] == ["ms", "as", "predicted"]
        assert "150 ms" in update
        assert "cost at the end" in out
        assert not CONTROL.search(out)

    def test_a_bound_that_broke(self, job):
        code, out, _ = job("watch", "strict.yaml", "job.log")
        assert code == 1
        assert "\nBounds\n" in out
        assert "  broken  monitoring.gpu_memory.max: 1.90 GB at update 1 is above 1.00 GB; at worst" in out

    @pytest.mark.parametrize("columns", ["20", "40", "59", "80", "96", "200"])
    def test_no_line_is_wider_than_the_terminal(self, job, columns):
        code, out, _ = job("watch", "strict.yaml", "job.log", COLUMNS=columns)
        assert code == 1
        longest_word = max(len(word) for word in out.split())
        assert max(map(len, out.splitlines())) <= max(int(columns), longest_word + 8)

    def test_json(self, job):
        code, out, err = job("watch", "strict.yaml", "job.log", "--format", "json")
        assert (code, err) == (1, "")
        found = json.loads(out)
        assert (found["update"], found["updates"], found["state"]) == (60, 60, "done after update 60")
        assert found["broken"][0]["bound"] == "monitoring.gpu_memory.max"
        assert {entry["name"] for entry in found["compared"]} >= {"update", "GPU memory", "billed at the end"}

    def test_json_of_a_loss_that_is_not_a_number(self, job):
        job.write("nan.log", text_of([run_line(), update_line(1, loss=float("nan"), grad_norm=float("inf"))]))
        code, out, _ = job("watch", "bot.yaml", "nan.log", "--format", "json")
        assert code == 1
        assert json.loads(out, parse_constant=pytest.fail)["loss"]["first"] == "nan"

    def test_standard_input(self, job):
        code, out, _ = job("watch", "bot.yaml", "-", stdin=text_of(whole_log()).encode())
        assert code == 0
        assert out.startswith("standard input: done after update 60\n")

    def test_what_breaks_is_said_at_once_where_no_terminal_is(self, job):
        code, _, err = job("watch", "strict.yaml", "-", stdin=(text_of(whole_log()) * 400).encode())
        assert code == 1
        assert err.count("hbspec: broken: monitoring.gpu_memory.max") == 1

    def test_both_from_standard_input(self, job):
        code, _, err = job("watch", "-", "-")
        assert code == 2
        assert "cannot both come from standard input" in err

    def test_the_spec_from_standard_input(self, job):
        assert job("watch", "-", "job.log", stdin=json.dumps(SPEC).encode())[0] == 0

    def test_a_trainers_state(self, job):
        job.write("trainer_state.json", (LOGS / "trainer_state.json").read_text())
        job.write("small.yaml", (LOGS / "bot.yaml").read_text())
        code, out, _ = job("watch", "small.yaml", "trainer_state.json")
        assert code == 0
        assert "training       6.262 to 5.021  up to update 30" in out

    def test_another_job_is_said_and_not_compared(self, job):
        job.write("other.log", (LOGS / "resumed.log").read_text())
        code, out, _ = job("watch", "bot.yaml", "other.log")
        assert code == 1
        assert "Another job: nothing is compared\n  - weights: the log is of a rehearsal" in out
        assert "updates: 30 in the log, 60 in the spec" in out
        assert "as predicted" not in out
        assert "cost" not in out

    def test_an_invalid_spec(self, job):
        job.write("bad.yaml", "hbspec: 1\nnmae: x\n")
        code, out, err = job("watch", "bad.yaml", "job.log")
        assert (code, out) == (1, "")
        assert "error[HB" in err


class TestBadInput:
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"\x7fELF\x02\x01\x01\x00", "is not a text: it holds zero bytes"),
            (gzip.compress(b"hbspec: step=1 loss=2"), "is packed (gzip)"),
            ("hbspec".encode("utf-16"), "is UTF-16"),
        ],
    )
    @pytest.mark.parametrize("command", ["watch", "verify"])
    def test_a_file_that_is_not_a_log(self, job, content, said, command):
        (job.folder / "x.log").write_bytes(content)
        code, out, err = job(command, "bot.yaml", "x.log")
        assert (code, out) == (2, "")
        assert err.startswith(f"hbspec: x.log {said}")
        assert job(command, "bot.yaml", "-", stdin=content)[0] == 2

    @pytest.mark.parametrize("command", ["watch", "verify"])
    def test_a_file_that_is_not_there_and_a_folder(self, job, command):
        code, _, err = job(command, "bot.yaml", "no.log")
        assert (code, err) == (2, "hbspec: no.log: No such file or directory; correct the path\n")
        assert job(command, "bot.yaml", ".") == (2, "", "hbspec: . is a folder: give the log's file\n")
        assert job(command, "bot.yaml", "no.json")[0] == 2

    @pytest.mark.parametrize(
        "content", [b"", b"\n\n", b"Epoch 1\n", b"\xff\xfd\n", b"hbspec: step=1 lo", b"{'loss': 1}\n"]
    )
    def test_a_log_without_any_metric_says_what_is_expected(self, job, content):
        (job.folder / "x.log").write_bytes(content)
        code, out, _ = job("watch", "bot.yaml", "x.log")
        assert code == 0
        assert "no update yet" in out
        assert "the log holds no metric of training; a line of the shipped script reads `hbspec: step=12" in out

    @pytest.mark.parametrize("content", ["{}", "[]", '{"log_history": [', "x"])
    def test_a_json_file_that_is_not_a_trainers_state(self, job, content):
        job.write("x.json", content)
        assert job("watch", "bot.yaml", "x.json")[0] in (0, 2)

    def test_a_line_of_ten_megabytes(self, job):
        job.write("long.log", f"{run_line()}\n{'x' * 10_000_000}\n{text_of(whole_log()[1:])}")
        code, out, _ = job("watch", "bot.yaml", "long.log")
        assert code == 0
        assert "1 line too long" in out

    def test_escape_sequences_of_a_log_do_not_reach_the_terminal(self, job):
        job.write("x.log", text_of([run_line(job="bot\x1b[31m-0123456789ab"), "train.py: \x1b]0;title\x07 OutOf"]))
        code, out, _ = job("watch", "bot.yaml", "x.log")
        assert code == 1
        assert not CONTROL.search(out)

    def test_a_credential_in_a_log_is_starred_out(self, job):
        job.write("x.log", text_of([run_line(), "train.py: token hf_" + "a" * 34 + " was refused"]))
        assert "hf_aaaa" not in job("watch", "bot.yaml", "x.log")[1]


class TestRecord:
    def test_it_is_written_as_measure_writes_it(self, job):
        code, _, err = job("watch", "bot.yaml", "job.log", "--record", "r.json")
        assert (code, err) == (
            0,
            "hbspec: r.json: the record; set calibration.record to ./r.json in a spec beside it\n",
        )
        assert read_measurement(json.loads((job.folder / "r.json").read_text())).gpu == "A10G"

    def test_what_is_not_in_it_is_said(self, job):
        job.write("job.log", text_of(whole_log(gpu_reserved_bytes=None)))
        code, _, err = job("watch", "bot.yaml", "job.log", "--record", "r.json")
        assert code == 0
        assert "not in the record: memory: the log does not hold what is in use, allocated and reserved\n" in err

    def test_where_the_log_lacks_what_it_needs_nothing_is_written(self, job):
        job.write("job.log", text_of(whole_log()[1:]))
        code, _, err = job("watch", "bot.yaml", "job.log", "--record", "r.json")
        assert code == 1
        assert err.startswith("hbspec: r.json is not written: the log does not hold what a calibration record needs\n")
        assert not (job.folder / "r.json").exists()

    def test_a_file_in_the_way_is_said_before_anything_is_read(self, job):
        job.write("r.json", "mine")
        code, out, err = job("watch", "bot.yaml", "job.log", "--record", "r.json")
        assert (code, out) == (2, "")
        assert err == "hbspec: r.json exists; give --force to replace it, or --record another name\n"
        assert job("watch", "bot.yaml", "job.log", "--record", "r.json", "--force")[0] == 0
        assert job("watch", "bot.yaml", "job.log", "--record", "no/r.json")[0] == 2


class TestVerify:
    def test_what_held(self, job):
        job.write("claims.yaml", json.dumps({**SPEC, "expect": {"training.optimizer_steps": 60}}))
        code, out, err = job("verify", "claims.yaml", "job.log")
        assert (code, err) == (0, "")
        assert re.search(r"^held +training\.optimizer_steps: 60; 60$", out, re.M)
        assert out.endswith("\n\n2 held\n")

    def test_what_broke(self, job):
        code, out, _ = job("verify", "strict.yaml", "job.log")
        assert code == 1
        assert out.endswith("\n\n2 held, 1 broken\n")

    def test_json(self, job):
        code, out, _ = job("verify", "strict.yaml", "job.log", "--format", "json")
        assert code == 1
        assert [entry["verdict"] for entry in json.loads(out)["judged"]] == ["held", "held", "broken"]

    def test_a_job_that_still_runs(self, job):
        job.write("job.log", text_of(whole_log()[:20]))
        code, out, _ = job("verify", "bot.yaml", "job.log")
        assert code == 0
        assert "cannot be told  instance.max_runtime: 1.00 h; at least" in out

    def test_another_job(self, job):
        job.write("job.log", text_of([run_line(ranks=4), *whole_log()[1:]]))
        code, out, _ = job("verify", "strict.yaml", "job.log")
        assert code == 1
        assert "Another job: nothing can be told\n  - processes: 4 in the log, 1 in the spec\n" in out


def started(folder, *words, out):
    return subprocess.Popen(
        [sys.executable, "-m", "hbspec", *words],
        cwd=folder,
        env={**PLAIN, "TERM": "xterm", "COLUMNS": "100"},
        stdin=subprocess.PIPE,
        stdout=out,
        stderr=subprocess.PIPE,
    )


def read_until(descriptor, expression, seconds=300):
    """What a descriptor says until an expression is found in it; to its end with None."""
    found, end = "", time.monotonic() + seconds
    while expression is None or not re.search(expression, found, re.S):
        assert select.select([descriptor], [], [], max(0, end - time.monotonic()))[0], found
        try:
            part = os.read(descriptor, 1 << 16)
        except OSError:  # the other end of a terminal is closed
            part = b""
        if not part:
            assert expression is None, found
            return found
        found += part.decode()
    return found


class TestLive:
    def test_a_file_is_followed_until_the_job_says_that_it_is_done(self, job):
        job.write("grows.log", text_of(whole_log()[:20]))
        program = started(job.folder, "watch", "strict.yaml", "grows.log", "--follow", out=subprocess.PIPE)
        assert "hbspec: broken: monitoring.gpu_memory.max" in read_until(program.stderr.fileno(), "\n")
        assert program.poll() is None
        with (job.folder / "grows.log").open("a") as stream:
            stream.write(text_of(whole_log()[20:]))
        out, err = program.communicate(timeout=300)
        assert (program.returncode, err) == (1, b"")
        assert out.startswith(b"grows.log: done after update 60\n")
        assert b"\x1b" not in out

    def test_ctrl_c_ends_the_following_and_what_was_seen_is_printed(self, job):
        job.write("grows.log", text_of(whole_log()[:20]))
        program = started(job.folder, "watch", "strict.yaml", "grows.log", "-f", out=subprocess.PIPE)
        read_until(program.stderr.fileno(), "broken")
        program.send_signal(signal.SIGINT)
        out, _ = program.communicate(timeout=300)
        assert program.returncode == 1
        assert out.startswith(b"grows.log: update 19 of 60\n")

    @pytest.mark.parametrize("name", ["pipe", "grows.log"])
    def test_json_is_printed_when_the_job_is_done(self, job, name):
        make = os.mkfifo if name == "pipe" else Path.touch
        make(job.folder / name)
        program = started(job.folder, "watch", "bot.yaml", name, "-f", "--format", "json", out=subprocess.PIPE)
        with (job.folder / name).open("w") as stream:
            stream.write(text_of(whole_log()))
        out, _ = program.communicate(timeout=300)
        assert program.returncode == 0
        assert json.loads(out)["state"] == "done after update 60"

    def test_on_a_terminal_the_page_is_drawn_in_place(self, job):
        screen, end = pty.openpty()
        program = started(job.folder, "watch", "bot.yaml", "-", out=end)
        os.close(end)
        program.stdin.write(text_of(stamped(whole_log()[:20])).encode())
        program.stdin.flush()
        before = read_until(screen, "update 19 of 60.*cost at the end")
        assert "expected at 20" in before
        program.stdin.write(text_of([*whole_log()[20:-1], done_line(60)]).encode())
        program.stdin.close()
        after = read_until(screen, None)
        assert program.wait(300) == 0
        os.close(screen)
        assert "\x1b[2K" in after, "the page is erased"
        assert "done after update 60" in after
