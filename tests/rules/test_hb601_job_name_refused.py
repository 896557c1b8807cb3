"""HB601: names of jobs, models and endpoints."""

from __future__ import annotations

import re

import pytest
from judged import edge, judged

from hbspec.catalog.limits import TRAINING_JOB_NAME_PATTERN


def test_the_edge_leaves_room_for_what_is_added(tmp_path):
    edge("HB601", "", "name", "a" * 46, "a" * 47, tmp_path)
    (found,) = judged("HB601", f"name: {'a' * 47}", tmp_path)
    assert "47 characters, and 17 are added" in found.message
    assert "64, above the limit of 63" in found.message


def test_the_edge_of_the_alphabet(tmp_path):
    edge("HB601", "", "name", "a-b", "a_b", tmp_path)


@pytest.mark.parametrize(
    ("name", "legal"),
    [
        ("a_b", "a-b"),
        ("-a-", "a"),
        ("Modèle 32B!", "Mod-le-32B"),
        ("a" * 47, "a" * 46),
        ("a" * 45 + "-b", "a" * 45),
    ],
)
def test_the_fix_is_accepted(tmp_path, name, legal):
    (found,) = judged("HB601", f'name: "{name}"', tmp_path)
    assert found.fixes[0].value == legal
    assert re.fullmatch(TRAINING_JOB_NAME_PATTERN, legal)
    assert judged("HB601", f'name: "{legal}"', tmp_path) == []


def test_a_name_without_a_legal_character_has_no_fix(tmp_path):
    (found,) = judged("HB601", 'name: "___"', tmp_path)
    assert found.fixes == ()


@pytest.mark.parametrize(("length", "count"), [(50, 0), (51, 1)])
def test_the_edge_of_an_endpoint_leaves_room_for_a_digest(tmp_path, length, count):
    endpoint = f"name: {'a' * length}\nsagemaker: {{job_name: short}}"
    by_hand = f"name: {'a' * length}\ninstance: {{type: null, gpu: A100-40, gpus: 8}}"
    for spec in (endpoint, by_hand):
        found = judged("HB601", spec, tmp_path)
        assert len(found) == count
        assert all("51 characters, and 13 are added" in one.message for one in found)


@pytest.mark.parametrize(("length", "count"), [(43, 0), (44, 1)])
@pytest.mark.parametrize("job", ["sagemaker: {job_name: short}", ""])
def test_the_edge_of_a_test_leaves_room_for_a_suffix(tmp_path, job, length, count):
    test = "deployment: {ab_test: {baseline: today, candidate_weight: 0.1}}"
    found = judged("HB601", f"name: {'a' * length}\n{job}\n{test}", tmp_path)
    assert len(found) == count
    assert all("44 characters, and 20 are added" in one.message for one in found)


@pytest.mark.parametrize(("length", "count"), [(63, 0), (64, 1)])
def test_nothing_is_added_to_other_names(tmp_path, length, count):
    test = f"deployment: {{ab_test: {{baseline: {'a' * length}, candidate_weight: 0.1}}}}"
    assert len(judged("HB601", test, tmp_path)) == count
    by_hand = f"name: {'a' * length}\ndeployment: null\ninstance: {{type: null, gpu: A100-40, gpus: 8}}"
    assert len(judged("HB601", by_hand, tmp_path)) == count


def test_the_job_may_have_its_own(tmp_path):
    own = "name: my_job\nsagemaker: {job_name: my-job}\n"
    assert judged("HB601", f"{own}deployment: null", tmp_path) == []
    assert [found.route for found in judged("HB601", own, tmp_path)] == [("name",)]  # the endpoint's
    assert [found.route for found in judged("HB601", "sagemaker: {job_name: a_b}", tmp_path)] == [
        ("sagemaker", "job_name")
    ]


def test_the_baseline_is_a_model_of_the_service(tmp_path):
    test = "deployment: {ab_test: {baseline: llama_4, candidate_weight: 0.1}}"
    assert [found.route[-1] for found in judged("HB601", test, tmp_path)] == ["baseline"]


def test_the_live_endpoint_of_a_test_has_a_name_of_the_service(tmp_path):
    test = "deployment: {ab_test: {endpoint: live_1, baseline: llama, candidate_weight: 0.1}}"
    assert [found.route[-1] for found in judged("HB601", test, tmp_path)] == ["endpoint"]


def test_a_machine_without_sagemaker_takes_any_name(tmp_path):
    local = "name: my_job\nsagemaker: null\ndeployment: null\ninstance: {type: null, gpu: A100-40, gpus: 8}"
    assert judged("HB601", local, tmp_path) == []
