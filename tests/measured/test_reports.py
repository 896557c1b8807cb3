"""Reports of known end as specs: what their first line says, what is said of them, and the table."""

from __future__ import annotations

import subprocess
import sys

import pytest
from made_rows import ROOT
from reports import ERROR, NOT_READ, Case, case_of, happened, lines, memory_rules

SPEC = """# expect: {expect}. https://example.org/issues/1
hbspec: 1
name: reported
model: {{id: Qwen/Qwen2.5-7B}}
data: {{train: {{examples: 1000}}, tokens: {{mean: 500, max: 1000}}}}
instance: {{gpu: {gpu}, gpus: 1, parallelism: single}}
script: {{source_dir: ., entry_point: train.py}}
hyperparameters:
  {{method: {method}, learning_rate: 1e-4, num_train_epochs: 1, per_device_batch_size: 1, max_length: 1024}}
"""


def written(folder, name, expect, gpu="A100-80", method="lora"):
    (folder / "train.py").write_text("", encoding="utf-8")
    path = folder / f"{name}.yaml"
    path.write_text(SPEC.format(expect=expect, gpu=gpu, method=method), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# expect: does_not_fit (OOM on 7 GPUs). https://example.org", "ran out of memory"),
        ("# expect: does_not_fit; cannot be expressed (DPO)", "ran out of memory"),
        ("# expect: fits, 13 GB a GPU", "ran"),
        ("# expect: tight (measured: right at 24 GB)", "ran"),
        ("# expect: warning: the save gathers the model (training ran, save out of memory)", "ran out of memory"),
        ("# expect: HB204 (qproj is no module)", "other"),
        ("hbspec: 1", "other"),
    ],
)
def test_the_first_line_says_what_happened(comment, expected):
    assert happened(comment) == expected


def test_a_report_is_judged_by_its_errors_about_memory_then_by_the_verdict(tmp_path):
    assert case_of(written(tmp_path, "a", "fits")) == Case("a", "ran", "fits", ())
    died = written(tmp_path, "b", "does_not_fit", "T4", "full")
    assert case_of(died) == Case("b", "ran out of memory", ERROR, ("HB109",))
    assert case_of(written(tmp_path, "c", "fits", method="dpo"))[1:3] == ("ran", NOT_READ)


def test_rules_about_memory_are_those_whose_summary_names_it():
    assert {"HB109", "HB125"} <= memory_rules()
    assert not {"HB101", "HB204", "HB301"} & memory_rules()


def test_optimistic_and_pessimistic_errors_are_listed():
    cases = [
        Case("dies", "ran out of memory", "fits", ()),
        Case("caught", "ran out of memory", ERROR, ("HB109",)),
        Case("close", "ran out of memory", "tight", ()),
        Case("refused", "ran", ERROR, ("HB109",)),
        Case("runs", "ran", "fits", ()),
    ]
    printed = "\n".join(lines(cases))
    assert "ran out of memory: 3, called 1 fits, 1 tight, 1 an error about memory   (aim: 0 fits)" in printed
    assert "ran: 2, called 1 fits, 1 an error about memory   (aim: 0 an error about memory)" in printed
    assert all(name in printed for name in ("dies", "close", "refused  HB109"))
    assert "caught" not in printed
    assert "runs" not in printed


def test_a_folder_is_a_table_and_one_without_specs_is_refused(tmp_path):
    def run():
        command = [sys.executable, ROOT / "benchmarks" / "reports.py", tmp_path]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    refused = run()
    assert (refused.returncode, refused.stderr) == (2, f"reports.py: {tmp_path} holds no *.yaml\n")
    written(tmp_path, "a", "fits")
    done = run()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1 reports\n")
