"""The harness of an evaluation against a stub that answers right, wrong, slowly, not at all, and with tricks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import stub_model
from answers import Answered, AnswersError, AnswersFile
from asking import DeniedError, Patience
from evaluate import EvaluationError, Way, asked_of, evaluated, signed, wanted_suites, write_record
from stub_model import INJECTION, KEY, Scored, Stub, Sums, stub

ENTRY = {"name": "sums", "min_score": 0.5, "seed": 0, "items": 12}
JOB = {"name": "job-0a1b2c3d4e5f"}
pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def server():
    with stub() as server:
        yield server


class Waited:
    """A clock that waits at once, and notes for how long."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return False


def evaluate(server: Stub, place: Path, *behaviours: str, waited: Waited | None = None, timeout: float = 30, **entry):
    suite = entry.pop("suite", None) or Sums(*behaviours)
    wanted = wanted_suites([ENTRY | entry], lambda name, folder: suite)
    patience = Patience(attempts=3, wait=waited or Waited(), draw=lambda: 1.0)
    asked = asked_of(Way(server.url, key=KEY, timeout=timeout))
    return evaluated(JOB, wanted, asked, place, patience=patience)


class TestKinds:
    """Of 12 items, each behaviour has as many as the list says; only whole answers that are right count."""

    @pytest.mark.parametrize(
        ("behaviour", "kind"),
        [
            ("wrong", "wrong"),
            ("garbage", "malformed reply"),
            ("empty", "empty"),
            ("none", "empty"),
            ("no number", "no number"),
            ("two", "two numbers"),
            ("truncated", "truncated"),
            ("injection", "no number"),
            ("500", "server error"),
            ("429", "rate limit"),
            ("400", "refused"),
        ],
    )
    def test_what_is_not_a_right_answer_is_counted_by_kind_and_never_right(
        self, server: Stub, tmp_path: Path, behaviour: str, kind: str
    ) -> None:
        record = evaluate(server, tmp_path / "record.json", "right", behaviour, behaviour)
        (suite,) = record["suites"]
        assert suite["kinds"] == {"right": 4, kind: 8}
        assert (suite["right"], suite["items"], suite["share"]) == (4, 12, 4 / 12)

    def test_an_endpoint_that_times_out_is_counted_and_the_run_ends_with_a_record(
        self, server: Stub, tmp_path: Path
    ) -> None:
        waited = Waited()
        record = evaluate(server, tmp_path / "record.json", "silent", timeout=0.1, items=2, waited=waited)
        assert record["suites"][0]["kinds"] == {"timeout": 2}
        assert record["verdict"] == "not decided"
        assert sorted(waited.seconds) == [1.0, 1.0, 2.0, 2.0], "each is asked three times"

    def test_slow_answers_are_answers(self, server: Stub, tmp_path: Path) -> None:
        assert evaluate(server, tmp_path / "record.json", "slow", items=4)["suites"][0]["kinds"] == {"right": 4}

    def test_an_answer_that_only_says_it_is_right_is_in_the_file_and_nowhere_else(
        self, server: Stub, tmp_path: Path
    ) -> None:
        record = evaluate(server, tmp_path / "record.json", "injection")
        assert record["suites"][0]["right"] == 0
        assert INJECTION not in json.dumps(record)
        assert json.dumps(INJECTION) in (tmp_path / "record.answers.jsonl").read_text()


class TestAskingAgain:
    def test_retry_after_is_honoured(self, server: Stub, tmp_path: Path) -> None:
        waited = Waited()
        record = evaluate(server, tmp_path / "record.json", "limited once", waited=waited, items=3)
        assert record["suites"][0]["kinds"] == {"right": 3}
        assert waited.seconds == [7.0] * 3

    def test_pauses_grow(self, server: Stub, tmp_path: Path) -> None:
        waited = Waited()
        evaluate(server, tmp_path / "record.json", "500", waited=waited, items=1)
        assert waited.seconds == [1.0, 2.0]

    @pytest.mark.parametrize(("status", "said"), [("401", "--key-variable"), ("404", "--model")])
    def test_a_refusal_of_all_ends_the_run_and_keeps_what_was_answered(
        self, server: Stub, tmp_path: Path, status: str, said: str
    ) -> None:
        wanted = wanted_suites([ENTRY], lambda name, folder: Sums(*["right"] * 11, status))
        with pytest.raises(DeniedError, match=said):
            evaluated(JOB, wanted, asked_of(Way(server.url)), tmp_path / "record.json", concurrency=1)
        assert len((tmp_path / "record.answers.jsonl").read_text().splitlines()) == 12

    def test_no_server_is_said_at_once(self) -> None:
        with pytest.raises(DeniedError, match="start the server, or correct the URL"):
            asked_of(Way("http://127.0.0.1:9/v1"))

    def test_a_key_is_sent_and_written_nowhere(self, server: Stub, tmp_path: Path) -> None:
        write_record(tmp_path / "record.json", evaluate(server, tmp_path / "record.json"))
        assert server.keys == {f"Bearer {KEY}"}
        assert not any(KEY in path.read_text() for path in tmp_path.iterdir())

    def test_a_password_in_a_url_is_refused_without_repeating_it(self) -> None:
        with pytest.raises(DeniedError) as refused:
            asked_of(Way("http://user:hunter2@127.0.0.1:9/v1"))
        assert "hunter2" not in str(refused.value)


class TestScorer:
    def test_one_that_always_passes_is_refused(self, server: Stub, tmp_path: Path) -> None:
        lenient = Sums()
        lenient.score = lambda item, answer: Scored(True, "right", "")
        with pytest.raises(EvaluationError, match=r"finds 12 of 12 answers right that say nothing"):
            evaluate(server, tmp_path / "record.json", suite=lenient)
        assert server.asked == []

    def test_one_that_fails_is_counted(self, server: Stub, tmp_path: Path) -> None:
        broken = Sums()
        broken.score = lambda item, answer: Scored(*[None] * (4 if answer.startswith("It") else 3))
        record = evaluate(server, tmp_path / "record.json", suite=broken)
        assert record["suites"][0]["kinds"] == {"scorer failed": 12}

    def test_both_of_its_marks_have_to_say_right(self, server: Stub, tmp_path: Path) -> None:
        unsure = Sums()
        unsure.score = lambda item, answer: Scored("4" in answer, "two numbers", "")
        assert evaluate(server, tmp_path / "record.json", suite=unsure)["suites"][0]["right"] == 0

    def test_a_group_is_scored_together_and_what_is_cut_off_is_still_not_right(
        self, server: Stub, tmp_path: Path
    ) -> None:
        grouped = Sums("right", "truncated")
        grouped.score_group = lambda items, answers: [Scored(bool(answer), "right", "") for answer in answers]
        with pytest.raises(EvaluationError, match="say nothing"):
            evaluate(server, tmp_path / "record.json", suite=grouped)
        grouped.score_group = lambda items, answers: [Scored("It is" in answer, "right", "") for answer in answers]
        record = evaluate(server, tmp_path / "record.json", suite=grouped)
        assert record["suites"][0]["kinds"] == {"right": 6, "truncated": 6}

    def test_two_items_of_one_id_are_refused(self) -> None:
        twice = Sums()
        twice.items = lambda seed, count: [item._replace(id="same") for item in Sums().items(seed, count)]
        with pytest.raises(EvaluationError, match="two items of one id"):
            wanted_suites([ENTRY], lambda name, folder: twice)

    def test_a_suite_of_a_broken_file_is_said(self) -> None:
        def broken(name: str, folder: Path | None) -> None:
            raise ValueError("items.jsonl, line 3 is not JSON")

        with pytest.raises(EvaluationError, match=r"sums: items.jsonl, line 3 is not JSON"):
            wanted_suites([ENTRY], broken)


class TestGoingOn:
    def test_after_sigkill_the_scores_are_the_same_and_no_answered_item_is_asked_again(
        self, server: Stub, tmp_path: Path
    ) -> None:
        items, place = 40, tmp_path / "record.json"
        words = [sys.executable, stub_model.__file__, server.url, str(place), str(items)]
        server.blocked_after = 17
        with subprocess.Popen(words) as run:
            answers, until = tmp_path / "record.answers.jsonl", time.monotonic() + 300
            while time.monotonic() < until and not (answers.exists() and answers.read_bytes().count(b"\n") == 18):
                time.sleep(0.01)
            run.send_signal(signal.SIGKILL)
        assert not place.exists()
        kept = list(server.answered)  # those that wait are answered to nobody once they may go on
        answers.write_bytes(answers.read_bytes() + b'{"suite": "sums", "se')  # a line that was being written
        server.blocked_after = None
        subprocess.run(words, check=True, timeout=300)
        assert {server.asked.count(prompt) for prompt in kept} == {1}
        assert len(set(server.answered)) == items
        assert len(answers.read_text().splitlines()) == items + 1
        whole = tmp_path / "whole.json"
        subprocess.run([*words[:3], str(whole), words[4]], check=True, timeout=300)
        assert json.loads(place.read_text())["suites"] == json.loads(whole.read_text())["suites"]

    def test_what_failed_is_asked_again(self, server: Stub, tmp_path: Path) -> None:
        evaluate(server, tmp_path / "record.json", "right", "400", items=4)
        evaluate(server, tmp_path / "record.json", "right", "400", items=4)
        assert sorted(server.asked.count(prompt) for prompt in set(server.asked)) == [1, 1, 2, 2]

    def test_another_models_answers_are_not_gone_on_with(self, server: Stub, tmp_path: Path) -> None:
        evaluate(server, tmp_path / "record.json")
        wanted = wanted_suites([ENTRY], lambda name, folder: Sums())
        with pytest.raises(EvaluationError, match="another model or other settings"):
            evaluated(JOB, wanted, asked_of(Way(server.url, model="other")), tmp_path / "record.json")

    def test_a_broken_line_is_named(self, server: Stub, tmp_path: Path) -> None:
        evaluate(server, tmp_path / "record.json", items=3)
        answers = tmp_path / "record.answers.jsonl"
        lines = answers.read_text().splitlines()
        answers.write_text("\n".join([lines[0], lines[1], lines[2][:-9], lines[3]]) + "\n")
        with pytest.raises(EvaluationError, match=r"record.answers.jsonl, line 3 is not an answer"):
            evaluate(server, tmp_path / "record.json", items=3)

    @pytest.mark.parametrize("content", [b'{"mine": 1}', b"one\nlast", b'{"format_version": 1, "asked": {}}\n{"mi'])
    def test_a_file_of_something_else_is_refused_as_it_is(self, content: bytes, tmp_path: Path) -> None:
        file = tmp_path / "notes.jsonl"
        file.write_bytes(content)
        with pytest.raises(AnswersError):
            AnswersFile(file, {"model": "m"})
        assert file.read_bytes() == content

    @pytest.mark.parametrize("written", [0, 1, 20])
    def test_a_run_that_was_killed_at_its_first_line_begins_again(self, written: int, tmp_path: Path) -> None:
        file = tmp_path / "answers.jsonl"
        AnswersFile(file, {"model": "m"}).close()
        head = file.read_bytes()
        file.write_bytes(head[:written])
        AnswersFile(file, {"model": "m"}).close()
        assert file.read_bytes() == head

    def test_what_a_full_disk_cuts_off_leaves_no_half_line(self, tmp_path: Path, monkeypatch: Any) -> None:
        file, write = AnswersFile(tmp_path / "answers.jsonl", {}), os.write
        answered = Answered("sums", 1, "a", "", "2", "stop", "", 1, 1, 0.1)

        def full(handle: int, text: memoryview) -> int:
            if len(text) < 100:
                raise OSError(28, "No space left on device")
            return write(handle, text[:50])

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            with pytest.raises(OSError, match="No space left"):
                file.add(answered)
        assert not file.found
        file.add(answered._replace(item="b"))
        file.close()
        again = AnswersFile(tmp_path / "answers.jsonl", {})
        assert [key[2] for key in again.found] == ["b"]

    def test_two_runs_do_not_write_to_one_file(self, tmp_path: Path) -> None:
        AnswersFile(tmp_path / "answers.jsonl", {})
        with pytest.raises(AnswersError, match="another run writes"):
            AnswersFile(tmp_path / "answers.jsonl", {})


class TestRecord:
    def test_it_says_what_was_asked_of_whom(self, server: Stub, tmp_path: Path) -> None:
        record = evaluate(server, tmp_path / "record.json", items=40)
        assert record["format_version"] == 2
        assert record["job"] == JOB
        assert record["model"] == {
            "kind": "endpoint",
            "against": server.url,
            "model": "stub",
            "answered_by": "stub-1",
            "temperature": 0.0,
        }
        (suite,) = record["suites"]
        assert (suite["digest"], suite["seed"], suite["templates"]) == ("0" * 64, 0, 40)
        assert suite["interval"]["high"] == 1.0
        assert record["verdict"] == suite["verdict"] == "passed"

    def test_parts_faults_and_a_baseline_are_said(self, server: Stub, tmp_path: Path) -> None:
        """Of 12 items, every second is wrong; the first four are of one kind, and the first three were seen."""
        suite = Sums("right", "wrong")
        suite.faults, suite.baseline = {"not JSON": (3, 9), "no `expect`": (4,)}, 0.25
        suite.items = lambda seed, count: [
            item._replace(
                reference=item.reference | {"stratum": "small" if number < 4 else "large", "seen": number < 3 or None}
            )
            for number, item in enumerate(Sums("right", "wrong").items(seed, count))
        ]
        (found,) = evaluate(server, tmp_path / "record.json", suite=suite)["suites"]
        assert (found["faults"], found["baseline"]) == ({"not JSON": 2, "no `expect`": 1}, 0.25)
        counted = {
            part: [(one["value"], one["right"], one["items"], one["share"]) for one in found["parts"][part]]
            for part in ("stratum", "seen")
        }
        assert counted == {
            "stratum": [("large", 4, 8, 0.5), ("small", 2, 4, 0.5)],
            "seen": [(None, 4, 9, 4 / 9), (True, 2, 3, 2 / 3)],
        }
        of_items = [outcome[4:] for outcome in found["outcomes"][2:5]]
        assert of_items == [["small", True], ["small", None], ["large", None]]
        assert found["parts"]["seen"][1]["interval"]["low"] < 2 / 3 < found["parts"]["seen"][1]["interval"]["high"]

    def test_a_change_to_it_is_seen(self, server: Stub, tmp_path: Path) -> None:
        record = evaluate(server, tmp_path / "record.json")
        assert signed(record) == record
        assert signed(record | {"verdict": "failed"})["digest"] != record["digest"]
