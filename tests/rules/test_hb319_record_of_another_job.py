"""HB319: records of another job."""

from __future__ import annotations

import json

from judged import HERE, edge, laid, said
from made_records import record_of_estimate, signed

from hbspec.api import check, estimate


def noted(tmp_path, fragment="", *changes):
    """The notes on a record of the job of base.yaml, beside a spec that differs from it by a fragment."""
    record = record_of_estimate(estimate(laid("", tmp_path)), seconds=(4.0, 4.4, 4.1))
    for change in changes:
        change(record)
    (tmp_path / "record.json").write_text(json.dumps(signed(record)))
    return said("HB319", laid(f"calibration: {{record: ./record.json}}\n{fragment}", tmp_path))


def test_a_record_of_the_job_is_not_mentioned(tmp_path):
    assert noted(tmp_path) == []


def test_edge(tmp_path):
    noted(tmp_path)
    edge("HB319", "calibration: {record: ./record.json}", "hyperparameters.lora_r", 16, 8, tmp_path)


def test_what_differs_is_named_with_both_values(tmp_path):
    (found,) = noted(tmp_path, "hyperparameters: {lora_r: 8}")
    assert (found.severity, found.route) == ("note", ("calibration", "record"))
    assert found.message == "the record is not used: lora_r: 16 measured, 8 in this job"
    assert found.help == "measure this job with `hbspec measure`, or delete the key"


def test_a_part_that_applies(tmp_path):
    (found,) = noted(tmp_path, "data: {tokens: {mean: 374, max: 700}}")
    assert found.message.startswith("the memory of the record is not used: longest row: 689 tokens measured, 700 in")
    (found,) = noted(tmp_path, "", lambda record: record["rows"].update(tokens=9000.0))
    assert found.message.startswith("the speed of the record is not used: tokens of a micro-batch: 9,000 measured, 374")


def test_many_differences_are_counted(tmp_path):
    (found,) = noted(
        tmp_path, "hyperparameters: {lora_r: 8, optim: sgd, loss: standard, gradient_checkpointing: false}"
    )
    assert found.message.endswith("; and 1 more")


def test_a_record_of_a_cpu(tmp_path):
    (tmp_path / "measured.json").write_text((HERE / "measured.json").read_text())
    (found,) = said("HB319", laid("calibration: {record: ./measured.json}", tmp_path))
    assert found.message.startswith("the record is not used: gpu: CPU measured, A100-40 in this job; ")


def test_a_spec_without_a_record(tmp_path):
    assert said("HB319", laid("calibration: {tokens_per_second_per_gpu: 500}", tmp_path)) == []
    assert check(laid("", tmp_path)).ok
