"""HB670 to HB672: what a script of the author's own lacks, by its code."""

from __future__ import annotations

import pytest
from judged import edge, judged

SPEC = "deployment: null\nscript: {entry_point: train.py}"
METRICS = '\nmonitoring: {metrics: [{name: loss, regex: "loss ([0-9.]+)"}]}'
ALL = {"HB670", "HB671", "HB672"}


def said(tmp_path, code, more="", **beside):
    (tmp_path / "train.py").write_text(code)
    for name, text in beside.items():
        (tmp_path / f"{name}.py").write_text(text)
    return {rule for rule in ALL if judged(rule, SPEC + more, tmp_path)}


@pytest.mark.parametrize(
    ("code", "lacks"),
    [
        ("Trainer(m).train()", ALL),
        ("loss.backward()", ALL),
        ("import hbspec_job\nhbspec_job.Job(Trainer(m)).train()\nTrainer(m).train()", set()),
        ("from hbspec_job import Job\njob = Job(Trainer(m))\nloss.backward()", set()),
        ("import hbspec_job\nTrainer(m).train()", ALL),
        ("Trainer(m).train(resume_from_checkpoint=True)", {"HB670", "HB672"}),
        ("trainer.train()\naccelerator.load_state(x)", {"HB670", "HB672"}),
        ("import signal\ntrainer.train()", {"HB670", "HB671"}),
        ("from signal import SIGTERM\ntrainer.train()", {"HB670", "HB671"}),
        ("# signal, resume_from_checkpoint\ntrainer.train()", ALL),
        ("model.train()", set()),
        ("print('trains elsewhere')", set()),
        ("trainer.train(", set()),
        ("", set()),
    ],
)
def test_what_it_lacks(tmp_path, code, lacks):
    assert said(tmp_path, code) == lacks


def test_metrics_that_the_author_names(tmp_path):
    assert said(tmp_path, "trainer.train()", METRICS) == {"HB671", "HB672"}


def test_modules_beside_it_are_read(tmp_path):
    stops = {"life": "import resuming", "resuming": "import signal\nNAME = 'resume_from_checkpoint'"}
    assert said(tmp_path, "from life import go\ntrainer.train()", **stops) == {"HB670"}


def test_modules_that_import_each_other(tmp_path):
    assert said(tmp_path, "import life\ntrainer.train()", life="import train") == ALL


def test_the_code_is_not_run(tmp_path):
    assert said(tmp_path, f"open({str(tmp_path / 'made')!r}, 'w')\ntrainer.train()") == ALL
    assert not (tmp_path / "made").exists()


def test_the_edge(tmp_path):
    edge("HB670", SPEC, "script.entry_point", "own_managed.py", "own_silent.py", tmp_path)
