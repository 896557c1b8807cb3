"""The measured job: its command line, and how its end is told."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from made_records import SPEC

from hbspec.api import estimate
from hbspec.measure.job import JobFailedError, command, run
from hbspec.measure.observer import RAN_OUT
from hbspec.measure.rows import schedule


def words_of(tmp_path, *overrides, ranks=1):
    analysis = estimate(SPEC, overrides=overrides).analysis
    given = schedule(analysis.plan, ranks, 3)
    return command(analysis, given, tmp_path, ranks), given


def test_one_process_is_the_observer_with_the_script_s_arguments(tmp_path):
    words, given = words_of(tmp_path)
    assert words[:2] == [sys.executable, str(tmp_path / "source/observer.py")]
    assert words[words.index("--PARALLELISM") + 1] == "single"
    assert words[words.index("--base-dir") + 1] == str(tmp_path / "base")
    assert words[words.index("--max-updates") + 1] == str(given.updates)
    assert "--EVAL_STEPS" not in words


def test_ranks_are_started_by_the_launcher(tmp_path):
    words, _ = words_of(tmp_path, "instance={type: ml.g5.12xlarge, parallelism: fsdp}", ranks=3)
    assert words[1:4] == [str(tmp_path / "source/launcher.py"), "--nproc_per_node", "3"]
    assert words.index(str(tmp_path / "source/observer.py")) < words.index("--PARALLELISM")


def test_an_evaluation_runs_once_at_the_end(tmp_path):
    words, given = words_of(tmp_path, "data.validation={examples: 9}", "hyperparameters.eval_steps=5")
    assert words[words.index("--EVAL_STEPS") + 1] == str(given.updates)


def ended(folder: Path, *, code: int = 0, ranks: tuple[dict, ...] = (), script: str = "", updates: int = 2, **options):
    """A job that leaves so much behind and ends with a code."""
    (folder / "observed").mkdir()
    for number, rank in enumerate(ranks):
        (folder / f"observed/rank-{number}.json").write_text(json.dumps(rank))
    words = [sys.executable, "-c", f"{script}\nprint('first\\nsecond\\nthird\\nlast')\nraise SystemExit({code})"]
    return run(words, folder, 2, updates, {}, **options)


def rank(updates: int, ran_out: str | None = None) -> dict:
    return {"updates": [{}] * updates, "ran_out": ran_out}


def test_a_job_that_trains_all_its_updates(tmp_path):
    assert ended(tmp_path, ranks=(rank(2), rank(2))).ran_out is None


def test_memory_that_runs_out_on_one_rank(tmp_path):
    """The others may have written nothing more, or nothing at all."""
    assert ended(tmp_path, code=RAN_OUT, ranks=(rank(1, "in update 2"),)).ran_out == "in update 2"


@pytest.mark.parametrize(
    ("code", "ranks", "said"),
    [
        (3, (rank(2), rank(2)), "the job ended with exit code 3; its log is"),
        (137, (), "by SIGKILL, as where the host's memory is too small"),
        (0, (rank(2), rank(1)), "the job trained 1 of 2 updates"),
        (0, (rank(2),), "the job trained 0 of 2 updates"),
        (RAN_OUT, (rank(1), rank(1)), f"exit code {RAN_OUT}"),
        (1, (rank(1, "in update 2"), rank(1)), "exit code 1"),
    ],
)
def test_any_other_end_is_an_error_with_the_end_of_the_log(code, ranks, said, tmp_path):
    with pytest.raises(JobFailedError) as reason:
        ended(tmp_path, code=code, ranks=ranks)
    assert said in str(reason.value)
    assert str(reason.value).endswith("\n  second\n  third\n  last")


def test_a_limit(tmp_path):
    with pytest.raises(JobFailedError, match=r"took longer than 0\.2 s"):
        ended(tmp_path, script="import time; time.sleep(60)", limit=0.2)
