"""The rows that a measured job is given."""

from __future__ import annotations

import json
from statistics import mean

import pytest
from made_records import SPEC

from hbspec.api import estimate
from hbspec.dataset.broken import Place
from hbspec.dataset.readers import Reader
from hbspec.dataset.records import Layout, Record, decoded, refusals
from hbspec.dataset.turns import rows_of
from hbspec.measure.rows import FEWEST_ROWS, OVERHEAD, WARM_UP, lines, schedule
from hbspec.plan.calibration import NEAR
from hbspec.plan.tasks import TASKS


def planned(*overrides):
    return estimate(SPEC, overrides=overrides).plan


def test_rows_of_one_length():
    found = schedule(planned(), ranks=1, timed=5)
    assert (found.warm_up, found.timed, found.alike) == (WARM_UP, 5, True)
    assert found.lengths == (300,) * 2 * 8
    assert found.validation == ()


def test_longer_and_longer_rows_warm_up_and_the_timed_ones_are_those_of_the_data():
    plan = planned("data.tokens={mean: 200, max: 500}")
    found = schedule(plan, ranks=1, timed=20)
    before, timed = found.lengths[: 2 * found.warm_up], found.lengths[2 * found.warm_up :]
    assert list(before) == sorted(before)
    assert before[-2:] == (500, 500)
    assert len(timed) == 2 * 20
    assert abs(mean(timed) - 200) < 5
    assert not found.alike
    assert list(timed) != sorted(timed)


@pytest.mark.parametrize("batch", [1, 2, 8])
@pytest.mark.parametrize("longest", [400, 1500, 4000])
def test_a_few_rows_are_of_the_job_that_they_stand_for(batch, longest):
    """Few rows with a long tail: their tokens and their unevenness are those of the plan."""
    plan = planned(
        f"data.tokens={{mean: 300, max: {longest}}}",
        "hyperparameters.max_length=4096",
        f"hyperparameters.per_device_batch_size={batch}",
    )
    found = schedule(plan, ranks=1, timed=5)
    rows = found.lengths[batch * found.warm_up :]
    assert len(rows) >= FEWEST_ROWS
    assert found.timed == len(rows) // batch
    padded = [max(rows[start : start + batch]) for start in range(0, len(rows), batch)]
    tokens = mean(padded) / plan.padded_row_tokens.expected
    uneven = mean(length**2 for length in padded) / mean(padded) ** 2 / plan.unevenness
    assert 1 / 1.15 < max(tokens, 1 / tokens) * max(uneven, 1 / uneven) < 1.15 < NEAR


def test_every_rank_and_micro_batch_gets_its_rows():
    plan = planned("data.tokens={mean: 200, max: 500}", "hyperparameters.gradient_accumulation_steps=8")
    found = schedule(plan, ranks=4, timed=3)
    assert found.warm_up == WARM_UP, "24 micro-batches have room for 15 lengths"
    assert len(found.lengths) == found.updates * 8 * 4 * 2
    together = [found.lengths[start : start + 8] for start in range(0, found.warm_up * 8 * 8, 8)]
    assert all(len(set(rows)) == 1 for rows in together), "the micro-batches of all ranks have one length"


def test_packed_rows_are_filled():
    plan = planned("hyperparameters.packing=true", "data.tokens={mean: 100, max: 500}")
    found = schedule(plan, ranks=1, timed=5)
    assert sum(found.lengths) > (WARM_UP + 5) * 2 * 512
    assert found.alike


def test_an_evaluation_has_the_longest_rows():
    found = schedule(planned("data.validation={examples: 50}"), ranks=2, timed=3)
    assert found.validation == (300,) * 2 * 2


def test_lines_have_a_conversation_of_each_length():
    read = [json.loads(line)["messages"] for line in lines([3, 10], "language_modeling").splitlines()]
    assert [[message["role"] for message in messages] for messages in read] == [["user", "assistant"]] * 2
    assert [messages[1]["content"].count("<|w") for messages in read] == [1, 10 - OVERHEAD]


@pytest.mark.parametrize("task", ["sft", "pretrain", "dpo", "kto", "reward"])
def test_every_task_has_examples_that_the_job_takes(task):
    kind = TASKS[task].types[0]
    reader = Reader(Layout(kind, "conversational"))
    for number, line in enumerate(lines([6, 7, 40, 100], kind).splitlines()):
        record = decoded(line.encode(), Place("data.jsonl", number + 1), reader)
        assert isinstance(record, Record), record
        assert list(refusals(record, whole=task == "pretrain")) == []
        counted = [sum(text.count("<|w") for text in row.contents) + OVERHEAD - 1 for row in rows_of(record)]
        assert set(counted) == {(6, 7, 40, 100)[number]}
