"""`hbspec compare` as a user runs it: text, JSON, Markdown, and specs that cannot be compared."""

from __future__ import annotations

import json

import pytest

SPEC = """\
hbspec: 1
name: bot
model: {id: Qwen/Qwen2.5-7B}
data: {train: {uri: "s3://acme/train/", examples: 4000}, tokens: {mean: 300, max: 900}}
instance: {type: ml.g5.12xlarge, region: us-east-1, parallelism: zero2, max_runtime: 20h}
hyperparameters: {method: qlora, learning_rate: 2e-4, num_train_epochs: 2, per_device_batch_size: 2, max_length: 1024}
"""


@pytest.fixture
def two(hbspec):
    hbspec.write("a.yaml", SPEC)
    hbspec.write("b.yaml", "extends: ./a.yaml\nhyperparameters: {num_train_epochs: 1}\n")
    return hbspec


def section(page, title):
    return page.partition(f"\n{title}\n")[2].partition("\n\n")[0].splitlines()


def test_what_differs_is_certain_or_said_not_to_be(two):
    code, out, err = two("compare", "a.yaml", "b.yaml")
    assert (code, err) == (0, "")
    first, second = section(out, "Time")
    assert first.startswith("  A  about ")
    assert " less than A (" in second
    assert section(out, "Updates") == ["  A  1,000", "  B  500    500 less than A"]
    assert "\nEffective batch size: 8 in each\n" in out
    assert "\nTrainable parameters: 40,370,176 in each\n" in out
    assert "\nMemory of the fullest GPU: about " in out


def test_what_is_unfair_comes_before_the_figures(two):
    two.write("c.yaml", SPEC.replace("Qwen2.5-7B", "Qwen2.5-3B").replace("us-east-1", "ca-central-1"))
    _, out, _ = two("compare", "a.yaml", "b.yaml", "c.yaml")
    short = out[out.index("Not like with like") : out.index("\nVerdict\n")].splitlines()[0]
    assert short == (
        "Not like with like: they train different models; they do not process as many examples; "
        "prices are those of different regions"
    )
    unfair = "\n".join(section(out, "How they differ"))
    assert "they train different models: A, B: Qwen/Qwen2.5-7B; C: Qwen/Qwen2.5-3B" in unfair
    assert "they do not process as many examples: A, C: 8,000 (2.00 epochs); B: 4,000 (1.00 epochs)" in unfair
    assert "prices are those of different regions: A, B: us-east-1; C: ca-central-1" in unfair
    assert "data" not in unfair
    assert "Not like with like" not in two("compare", "a.yaml", "a.yaml")[1]


def test_other_data_and_other_currencies_are_named(two):
    two.write("c.yaml", SPEC.replace("4000", "5000").replace("max_runtime: 20h", "max_runtime: 20h, price: 9 CAD/h"))
    _, out, _ = two("compare", "a.yaml", "c.yaml")
    assert "they train on different data: A: s3://acme/train/, 4,000 examples, 300 tokens on average; B: " in out
    assert "their costs are in different currencies, and are not compared: A: USD; B: CAD" in out
    assert "their prices are not from the same source: A: the catalog; B: the spec" in out
    assert section(out, "Cost")[1].endswith("not compared: another currency")


def test_what_is_dropped_at_an_epoch_s_end_is_no_other_work(two):
    two.write("a.yaml", SPEC.replace("4000", "100003"))
    two.write("c.yaml", SPEC.replace("4000", "100003").replace("per_device_batch_size: 2", "per_device_batch_size: 4"))
    assert "do not process as many" not in two("compare", "a.yaml", "c.yaml")[1]


def test_a_cost_that_is_not_known_is_in_no_other_currency(two):
    two.write("c.yaml", SPEC.replace("type: ml.g5.12xlarge", "type: ml.g5.12xlarge, price: 9 CAD/h"))
    two.write("d.yaml", SPEC.replace("region: us-east-1", "region: eu-south-2"))
    for file in ("a.yaml", "c.yaml"):
        _, out, _ = two("compare", file, "d.yaml")
        assert section(out, "Cost")[1] == "  B  not known"
        assert "currencies" not in out
    assert (
        "different currencies, and are not compared: A: USD; B: CAD" in two("compare", "a.yaml", "c.yaml", "d.yaml")[1]
    )


def test_what_an_epoch_drops_at_its_end_is_only_a_figure(two):
    two.write("c.yaml", SPEC.replace("batch_size: 2,", "batch_size: 3,"))
    _, out, _ = two("compare", "a.yaml", "c.yaml")
    assert section(out, "Examples processed") == ["  A  8,000", "  B  8,016  16 more than A"]
    assert "Not like with like" not in out


def test_examples_that_are_not_known_are_not_said_to_be_fewer(two):
    two.write("c.yaml", SPEC.replace(", tokens: {mean: 300, max: 900}", "").replace("examples: 4000", "examples: null"))
    _, out, _ = two("compare", "a.yaml", "c.yaml")
    assert "they do not process as many examples" not in out
    assert "whether they process as many examples is not known: A: 8,000 (2.00 epochs); B: not known" in out


def test_a_job_that_its_limit_stops_is_not_said_to_end(two):
    two.write("c.yaml", SPEC.replace("max_runtime: 20h", "max_runtime: 20m"))
    _, out, _ = two("compare", "a.yaml", "c.yaml")
    first, second = section(out, "Verdict")
    assert first == "  A  It fits"
    assert second.startswith("  B  It fits. It is expected to be stopped at its max_runtime of 20.0 min")
    first, second = section(out, "Cost")
    assert "cut at max_runtime" not in first
    assert "cut at max_runtime" in second
    figures = json.loads(two("compare", "a.yaml", "c.yaml", "--format", "json")[1])["figures"]
    assert [one["cut_at_max_runtime"] for one in figures if one["name"] == "cost"] == [[False, True]]


def test_json(two):
    document = json.loads(two("compare", "a.yaml", "b.yaml", "--format", "json")[1])
    assert document["format_version"] == 1
    assert [spec["letter"] + spec["file"] for spec in document["specs"]] == ["Aa.yaml", "Bb.yaml"]
    assert document["specs"][0]["findings"] == {"errors": 0, "warnings": 0, "notes": 0}
    alone = json.loads(two("estimate", "b.yaml", "--format", "json")[1])
    found = {figure["name"]: figure for figure in document["figures"]}
    assert found["time"]["values"][1] == alone["time"]["total_seconds"]
    assert found["gpu_memory"]["limits"][1] == alone["memory"]["devices"][0]["usable_bytes"]
    assert found["cost"]["currencies"] == ["USD", "USD"]
    first, second = found["time"]["differences"]
    assert first is None
    assert second["certain"]
    assert second["high"] < 0
    assert found["gpu_memory"]["differences"][1] == {"low": 0, "expected": 0, "high": 0, "certain": False, "same": True}


def test_markdown_is_one_table(two):
    _, out, _ = two("compare", "a.yaml", "b.yaml", "--format", "markdown")
    table = [line for line in out.splitlines() if line.startswith("|")]
    assert table[0] == "|  | A | B |"
    assert {line.count(" | ") for line in table if "---" not in line} == {2}
    assert any(line.startswith("| Updates | 1,000 | 500<br>500 less than A |") for line in table)


def test_narrow(two):
    _, out, _ = two("compare", "a.yaml", "b.yaml", COLUMNS="40")
    assert not [line for line in out.splitlines() if len(line) > 40 and " " in line.strip()]


class TestWhatCannotBeCompared:
    def test_one_spec(self, two):
        code, out, err = two("compare", "a.yaml")
        assert (code, out) == (2, "")
        assert err == "hbspec: compare takes two specs or more, and a.yaml is the only one; name another\n"

    def test_no_spec(self, two):
        code, _, err = two("compare")
        assert code == 2
        assert "Missing argument 'SPEC'" in err

    def test_one_that_is_invalid_is_left_out(self, two):
        two.write("bad.yaml", SPEC.replace("learning_rate", "learning_rat"))
        code, out, err = two("compare", "a.yaml", "bad.yaml", "b.yaml")
        assert code == 1
        assert "bad.yaml:6:" in err
        assert section(out, "Updates") == ["  A  1,000", "  B  500    500 less than A"]

    def test_only_one_is_left(self, two):
        code, out, err = two("compare", "a.yaml", "gone.yaml")
        assert (code, out) == (2, "")
        assert err.endswith("hbspec: 1 of 2 specs can be estimated, so there is nothing to compare\n")

    def test_what_is_not_known_is_said(self, two):
        two.write("c.yaml", SPEC.replace("Qwen/Qwen2.5-7B", "some/model"))
        code, out, _ = two("compare", "a.yaml", "c.yaml")
        assert code == 0
        assert section(out, "Time")[1] == "  B  not known"
        assert section(out, "Verdict")[1] == "  B  Whether it fits is not known"


def test_a_spec_without_an_endpoint_beside_one_that_has_one(two):
    two.write("c.yaml", "extends: ./a.yaml\ndeployment: {instance: {type: ml.g5.12xlarge}, tensor_parallel: 4}\n")
    _, out, _ = two("compare", "c.yaml", "b.yaml")
    assert section(out, "The endpoint per hour")[1] == "  B  no endpoint"
    assert section(out, "Verdict")[0].startswith("  A  It fits. Its endpoint ")
