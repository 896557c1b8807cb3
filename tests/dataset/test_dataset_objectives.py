"""Data of each task: what the job refuses is an error, and prompts are compared between the splits."""

from __future__ import annotations

import json

import pytest
from made_data import line, written
from test_dataset_check import found

from hbspec.cli import main
from hbspec.cli.data_check import report_of
from hbspec.cli.data_layout import TASKS_OF_DATA, TYPES, reader_of
from hbspec.dataset.check import DataTask, check_data
from hbspec.dataset.layouts import TRAINED
from hbspec.diagnostics import Severity
from hbspec.plan.tasks import TASKS


def asked(text):
    return [{"role": "user", "content": text}]


def told(text):
    return [{"role": "assistant", "content": text}]


def verdict_of(tmp_path, rows, validation=(), task=None):
    training = written(tmp_path / "train.jsonl", *map(json.dumps, rows))
    held = written(tmp_path / "validation.jsonl", *map(json.dumps, validation)) if validation else ()
    objective = DataTask(task, TASKS[task].types, whole=task == "pretrain") if task else None
    return check_data(training, held, objective=objective, reader=reader_of(None, ()))


def errors(verdict):
    return {tally.defect.code for tally, _ in verdict.tallies if tally.severity is Severity.ERROR}


PAIR = {"prompt": asked("Who leads?"), "chosen": told("Montreal leads."), "rejected": told("Nobody leads.")}
IMPLICIT = {"chosen": PAIR["prompt"] + PAIR["chosen"], "rejected": PAIR["prompt"] + PAIR["rejected"]}
TEXTS = {"prompt": "Who leads?", "chosen": " Montreal leads.", "rejected": " Nobody leads."}
IMPLICIT_TEXTS = {"chosen": "Who leads? Montreal leads.", "rejected": "Who leads? Nobody leads."}
RATED = {"prompt": asked("Who leads?"), "completion": told("Montreal."), "label": True}
RATED_TEXTS = {"prompt": "Who leads?", "completion": " Montreal.", "label": True}
PROMPT = {"prompt": asked("Who leads?")}


def test_names_are_those_of_the_tasks_and_types():
    assert tuple(TASKS) == TASKS_OF_DATA
    trained = {kind for facts in TASKS.values() for kind in facts.types}
    assert set(TRAINED) == trained
    assert trained < set(TYPES)


@pytest.mark.parametrize("row", [PAIR, IMPLICIT, TEXTS, IMPLICIT_TEXTS, RATED, RATED_TEXTS, PROMPT])
def test_data_of_a_task_have_no_findings(row, tmp_path):
    assert found(verdict_of(tmp_path, [row])) == {}


@pytest.mark.parametrize(
    ("good", "bad", "code"),
    [
        (PAIR, {key: PAIR[key] for key in ("prompt", "chosen")}, "HB050"),
        (TEXTS, {key: TEXTS[key] for key in ("prompt", "rejected")}, "HB050"),
        (PAIR, PAIR | {"rejected": PAIR["chosen"]}, "HB064"),
        (IMPLICIT, {"chosen": IMPLICIT["chosen"], "rejected": IMPLICIT["chosen"]}, "HB064"),
        (TEXTS, TEXTS | {"rejected": TEXTS["chosen"]}, "HB064"),
        (TEXTS, TEXTS | {"rejected": ""}, "HB053"),
        (PAIR, PAIR | {"chosen": asked("Montreal?")}, "HB053"),
        (RATED, RATED | {"completion": told("")}, "HB053"),
        (RATED, {key: RATED[key] for key in ("prompt", "completion")} | {"label": "yes"}, "HB050"),
        (PROMPT, {"prompt": []}, "HB050"),
    ],
)
def test_what_the_job_refuses_is_an_error(good, bad, code, tmp_path):
    assert code in errors(verdict_of(tmp_path, [good, bad]))


@pytest.mark.parametrize("row", [PAIR, IMPLICIT, TEXTS, IMPLICIT_TEXTS, RATED, RATED_TEXTS, PROMPT])
def test_a_prompt_that_training_has_seen(row, tmp_path):
    answer = "chosen" if "chosen" in row else "completion"
    other = json.loads(json.dumps(row).replace("Montreal", "Toronto")) | ({"label": False} if "label" in row else {})
    again = found(verdict_of(tmp_path, [row], [other])) if answer in row else found(verdict_of(tmp_path, [row], [row]))
    assert again["validation", "HB057"] == 1
    new = json.loads(json.dumps(row).replace("Who leads?", "Which team is the last?"))
    assert ("validation", "HB057") not in found(verdict_of(tmp_path, [row], [new]))


def test_lengths_of_both_answers(tmp_path):
    longer = PAIR | {"chosen": told("Montreal leads, as it has done since October." * 3)}
    assert found(verdict_of(tmp_path, [longer]))["training", "HB065"] == 1


def test_a_conversation_that_is_learnt_whole_needs_no_answer(tmp_path):
    silent = json.loads(line("user:The season began in October."))
    assert errors(verdict_of(tmp_path, [silent])) == {"HB053"}
    assert found(verdict_of(tmp_path, [silent], task="pretrain")) == {}
    late = json.loads(line("user:q", "assistant:a", "user:thanks"))
    assert found(verdict_of(tmp_path, [late], task="pretrain")) == {}
    assert errors(verdict_of(tmp_path, [json.loads(line("user: "))], task="pretrain")) == {"HB053"}


def test_a_task_trains_its_own_types(tmp_path):
    verdict = verdict_of(tmp_path, [PAIR], task="kto")
    assert errors(verdict) == {"HB063"}
    [said] = [one.message for one in report_of(verdict, []).diagnostics]
    assert said == "the examples are preference (conversational), and task kto trains unpaired preference"


def test_the_command_says_what_a_spec_needs(tmp_path, capsys):
    written(tmp_path / "train.jsonl", json.dumps(PAIR))
    assert main(["data", "check", str(tmp_path / "train.jsonl")]) == 0
    said = " ".join(capsys.readouterr().out.split())  # lines are broken to the terminal
    assert "set task: dpo or reward, data.type: preference and data.format" in said
    assert main(["data", "check", str(tmp_path / "train.jsonl"), "--task", "sft"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "and task sft trains language modeling and prompt completion" in said
