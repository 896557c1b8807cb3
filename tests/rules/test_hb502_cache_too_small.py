"""HB502: the KV cache of the requested load beside the weights."""

from __future__ import annotations

import re

import pytest
from judged import SPECS, edge, estimated, judged, largest_within, said

ALTERNATIVE = ("deployment", "instance", "alternatives", 0)
TYPICAL = "deployment: {max_model_len: null}"


def test_the_edge_is_the_largest_concurrency_that_surely_fits(tmp_path):
    most = largest_within("HB502", TYPICAL, "deployment.concurrency", 4, 512, tmp_path)
    sure = [estimated(TYPICAL.replace("null", f"null, concurrency: {asked}"), tmp_path) for asked in (most, most + 1)]
    assert sure[0].serving.sure_room.typical >= most >= sure[1].serving.sure_room.typical
    edge("HB502", TYPICAL, "deployment.concurrency", most, most + 1, tmp_path)


def test_the_edge_is_the_longest_request_that_surely_fits(tmp_path):
    one = "deployment: {instance: {type: ml.g6e.xlarge, alternatives: null}, tensor_parallel: 1, concurrency: 1}"
    most = largest_within("HB502", one, "deployment.max_model_len", 4096, 131072, tmp_path)
    assert most == estimated(one, tmp_path).serving.sure_room.context
    edge("HB502", one, "deployment.max_model_len", most, most + 1, tmp_path)


def test_the_a10g_of_the_plan_can_but_not_four_long_requests():
    (found,) = said("HB502", SPECS / "heartbeat-as-written.yaml")
    assert found.route == ALTERNATIVE
    assert found.severity == "warning"
    assert "4 x 4,096 tokens need 4.00 GiB of KV cache" in found.message


def test_the_offered_concurrency_is_the_largest_that_surely_fits_no_error(tmp_path):
    (found,) = judged("HB502", "deployment: {concurrency: 512}", tmp_path)
    assert found.severity == "error"
    most = found.fixes[0].value
    assert 1 <= most < 512
    fewer = judged("HB502", f"deployment: {{concurrency: {most}}}", tmp_path)
    assert [diagnostic.severity for diagnostic in fewer] in ([], ["warning"])  # the engine's share is an estimate


def test_no_request_that_fits_has_no_concurrency_to_offer(tmp_path):
    one = "deployment: {instance: {type: ml.g5.2xlarge}, tensor_parallel: 1, concurrency: 1, max_model_len: 32768}"
    (found,) = judged("HB502", one, tmp_path)
    assert found.fixes == ()
    assert "one request of" in found.message


def test_weights_that_do_not_fit_are_not_told_of_caches(tmp_path):
    small = "deployment: {instance: {type: ml.g4dn.2xlarge}, tensor_parallel: 1}"
    assert judged("HB502", small, tmp_path) == judged("HB515", small, tmp_path) == []


def test_a_typical_load_is_judged_where_no_length_is_given(tmp_path):
    (found,) = judged("HB502", "deployment: {concurrency: 512, max_model_len: null}", tmp_path)
    assert found.severity == "error"
    assert "512 typical requests of 774 tokens" in found.message


@pytest.mark.parametrize(
    "asked",
    [
        "concurrency: 512",
        "concurrency: 290",  # between what fits as expected and what surely does
        "concurrency: 290, max_model_len: null",
        "concurrency: 80, typical_input_tokens: 3600, max_model_len: 4096, instance: {type: ml.g6.12xlarge}",
    ],
)
def test_what_is_offered_makes_the_finding_vanish(tmp_path, asked):
    fragment = f"deployment: {{{asked}}}"
    (found,) = judged("HB502", fragment, tmp_path)
    (fix,) = found.fixes
    wanted = estimated(fragment, tmp_path).analysis.serving_plan.concurrency
    assert fix.value < wanted
    sure, best = re.search(r"room for (\d+) to (\d+) of them", found.message).groups()
    assert (int(sure), found.severity) == (fix.value, "warning" if int(best) >= wanted else "error")
    spec = (tmp_path / "spec.yaml").read_text().replace(f"concurrency: {wanted}", f"concurrency: {fix.value}")
    (tmp_path / "spec.yaml").write_text(spec)
    assert said("HB502", tmp_path / "spec.yaml") == []


def test_one_longest_request_and_the_typical_load_lack_room_each_for_itself(tmp_path):
    both = "deployment: {tensor_parallel: 2, concurrency: 512, max_model_len: 131072}"
    found = judged("HB502", both, tmp_path)
    assert {diagnostic.route[-1] for diagnostic in found} == {"max_model_len", "concurrency"}


def test_where_not_one_typical_request_has_room_it_is_said_at_the_instance(tmp_path):
    spec = "deployment: {tensor_parallel: 2, max_model_len: null, concurrency: 1, %s}"
    (found,) = judged("HB502", spec % "typical_input_tokens: 120000", tmp_path)
    assert (found.severity, found.route) == ("error", ("deployment", "instance", "type"))
    assert "one request of 120,400 tokens needs" in found.message
    assert judged("HB502", spec % "typical_input_tokens: 300", tmp_path) == []


@pytest.mark.parametrize(
    ("asked", "verdict", "told"),
    [
        ("concurrency: 4", "fits", set()),
        ("concurrency: 128", "tight", {"HB515"}),
        ("concurrency: 512", "does_not_fit", {"HB502"}),
        ("concurrency: 1, max_model_len: 131072, tensor_parallel: 2", "does_not_fit", {"HB502"}),
    ],
)
def test_the_estimate_says_what_the_check_says(tmp_path, asked, verdict, told):
    fragment = f"deployment: {{{asked}}}"
    found = {code for code in ("HB501", "HB502", "HB515") if judged(code, fragment, tmp_path)}
    assert (estimated(fragment, tmp_path).serving.verdict, found) == (verdict, told)


def test_a_share_that_leaves_no_cache_is_the_cause_where_the_usual_one_does(tmp_path):
    small = (
        "model: {id: Qwen/Qwen2.5-7B}\nbudget: null\ndeployment: {quantization: none, tensor_parallel: null, "
        "instance: {type: ml.g5.2xlarge}, max_model_len: 2048, gpu_memory_utilization: %s}"
    )
    (found,) = judged("HB502", small % 0.7, tmp_path)
    assert found.route == ("deployment", "gpu_memory_utilization")
    assert found.help == "set gpu_memory_utilization to 0.9"
    assert judged("HB502", small % 0.9, tmp_path) == []
