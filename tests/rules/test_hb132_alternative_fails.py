"""HB132: an alternative on which the job fails, where it does not on the first choice."""

from __future__ import annotations

from judged import edge, estimated, found_by, judged

from hbspec.rules.engine import findings_again

SMALL = "model: {id: Qwen/Qwen2.5-7B}\nbudget: null\ninstance: {max_runtime: 20h"


def on(*names: str, more: str = "") -> str:
    return f"instance: {{alternatives: [{', '.join(names)}]}}\n{more}"


def test_the_edge_of_memory(tmp_path):
    edge("HB132", on("ml.p4de.24xlarge"), "instance.alternatives", None, ["ml.g4dn.12xlarge"], tmp_path)


def test_the_edge_of_the_budget_is_at_the_alternative_s_price(tmp_path):
    spec = on("ml.p5.48xlarge")  # 63.30 USD/h, for 4 h
    edge("HB132", spec, "budget.max_cost", "253.20 USD", "253.10 USD", tmp_path)


def test_the_author_s_price_is_that_of_the_first_choice(tmp_path):
    fragment = "instance: {price: 25.25 USD/h, alternatives: [ml.p5.48xlarge]}\nbudget: {max_cost: 150 USD}"
    (found,) = judged("HB132", fragment, tmp_path)
    assert "4.00 h x 63.30 USD/h" in found.message


def test_the_edge_of_a_number_format(tmp_path):
    spec = SMALL + "}\nhyperparameters: {bf16: true, max_length: 704, per_device_batch_size: 1}"
    edge("HB132", spec, "instance.alternatives", ["ml.p4de.24xlarge"], ["ml.p3dn.24xlarge"], tmp_path)


def test_the_kernel_of_attention(tmp_path):
    spec = SMALL + ", alternatives: [ml.p3dn.24xlarge]}\nhyperparameters: {attn_implementation: flash_attention_2}"
    (found,) = judged("HB132", spec, tmp_path)
    assert found.message.startswith("on ml.p3dn.24xlarge, flash_attention_2 needs compute capability 8.0")
    assert found.message.endswith("(HB104); the compute dtype is float16, and bfloat16 on ml.p4d.24xlarge")


def test_each_alternative_has_one_finding(tmp_path):
    found = judged("HB132", on("ml.g4dn.12xlarge", "ml.p4de.24xlarge", "ml.p3.16xlarge"), tmp_path)
    assert [entry.route for entry in found] == [("instance", "alternatives", 0), ("instance", "alternatives", 2)]
    assert all(entry.severity == "warning" for entry in found)


def test_the_disk_and_the_other_batch_are_said_too(tmp_path):
    (found,) = judged("HB132", on("ml.p3.8xlarge"), tmp_path)
    assert "HB109; also HB114" in found.message
    assert "the effective batch size is 16, and 32 on ml.p4d.24xlarge" in found.message


def test_what_is_wrong_with_the_first_choice_too_is_said_there_alone(tmp_path):
    fragment = on("ml.g6.48xlarge", more="model: {id: Qwen/Qwen2.5-72B}\nbudget: null").replace(
        "}", ", max_runtime: 90h}", 1
    )
    assert judged("HB132", fragment, tmp_path) == []
    assert [entry.route for entry in judged("HB109", fragment, tmp_path)] == [("instance", "type")]


def test_an_error_where_the_first_choice_has_a_warning(tmp_path):
    fragment = on("ml.g4dn.12xlarge", more="").replace("{alternatives", "{type: ml.g5.48xlarge, alternatives")
    assert judged("HB109", fragment, tmp_path)[0].severity == "warning"
    (found,) = judged("HB132", fragment, tmp_path)
    assert "(HB109)" in found.message


def test_a_type_that_is_not_offered_is_said_once(tmp_path):
    fragment = "instance: {region: ca-central-1, alternatives: [ml.p3dn.24xlarge]}\nhyperparameters: {bf16: true}"
    assert judged("HB132", fragment, tmp_path) == []
    assert [entry.code for entry in judged("HB113", fragment, tmp_path)] == ["HB113"]
    assert [finding.code for finding in found_by("HB132", fragment, tmp_path)] == ["HB132"]


def test_claims_and_the_alarm_are_those_of_the_first_choice(tmp_path):
    fragment = on(
        "ml.p4de.24xlarge", more="expect: {training.cost: 1 USD..60 USD}\nmonitoring: {gpu_memory: {max: 40 GB}}"
    )
    assert judged("HB132", fragment, tmp_path) == []


def test_a_volume_that_an_alternative_ignores_is_no_failure(tmp_path):
    fragment = (
        "model: {id: Qwen/Qwen2.5-7B}\nbudget: null\nhyperparameters: {fp16: true}\ninstance: {type: ml.p3.16xlarge, "
        "price: 28 USD/h, volume: 100 GB, alternatives: [ml.p4d.24xlarge]}"
    )
    assert judged("HB115", fragment, tmp_path) == judged("HB132", fragment, tmp_path) == []


def test_types_that_are_not_known_have_rules_of_their_own(tmp_path):
    assert judged("HB132", on("ml.p4d.24xlage", "ml.c5.4xlarge"), tmp_path) == []


def test_it_is_not_asked_about_a_spec_that_tries_a_change(tmp_path):
    findings, skipped = findings_again(estimated(on("ml.g4dn.12xlarge"), tmp_path).analysis)
    assert "HB132" in skipped
    assert "HB132" not in {finding.code for finding in findings}


def test_a_wide_interval_of_time_does_not_speak_against_an_alternative(tmp_path):
    small = (
        "model: {id: Qwen/Qwen2.5-7B}\nbudget: null\ninstance: {type: ml.p5.48xlarge, alternatives: [ml.g6.48xlarge], "
    )
    for limit, found in (("30m", 0), ("8m", 1)):  # it takes 5 to 23 minutes on the first choice
        said = judged("HB132", f"{small}max_runtime: {limit}}}", tmp_path)
        assert ["(HB301)" in entry.message for entry in said] == [True] * found
