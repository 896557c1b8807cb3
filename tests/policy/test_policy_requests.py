"""A body of CreateTrainingJob that breaks a line of a policy is never let through, however it is written."""

from __future__ import annotations

import json
from collections import Counter

import pytest
import yaml
from mutated_requests import BREAKING, mutated
from policies import POLICY, request

from hbspec.api import check
from hbspec.catalog import catalog
from hbspec.policy import read_policy
from hbspec.policy.cases import CODES
from hbspec.policy.judge import is_request, judged_request
from hbspec.source import load_mapping


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    file = tmp_path_factory.mktemp("policy") / "policy.yaml"
    file.write_text(POLICY)
    return read_policy(file)


def broken(body, policy):
    report = judged_request(load_mapping(body), catalog(), policy)
    return {CODES[entry.code] for entry in report.diagnostics}


def test_the_request_keeps_every_line(policy):
    assert broken(request(), policy) == set()
    assert is_request(load_mapping(request()))


def test_a_thousand_requests_that_break_a_line_are_refused(policy):
    judged = [(line, broken(body, policy), body) for line, body in mutated(1005)]
    assert [(line, body) for line, found, body in judged if line not in found] == []
    assert set(Counter(line for line, _, _ in judged).values()) == {1005 // len(BREAKING)}


@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump, lambda body: json.dumps(body, indent="\t")])
def test_in_a_file_as_tools_write_it(policy, tmp_path, write):
    file = tmp_path / "body.json"
    for line, body in mutated(len(BREAKING), seed=11):
        file.write_text(write(body))
        codes = {CODES.get(entry.code, entry.code) for entry in check(file, policy=policy).diagnostics}
        assert line in codes, (line, body)
    file.write_text(write(request()))
    assert check(file, policy=policy).diagnostics == ()


def test_a_finding_is_at_the_value_and_names_the_line_of_the_policy(policy, tmp_path):
    file = tmp_path / "body.json"
    body = request()
    body["ResourceConfig"]["InstanceType"] = "ml.g6.xlarge"
    file.write_text(json.dumps(body, indent=2))
    (found,) = check(file, policy=policy).diagnostics
    assert "ml.g6.xlarge" in file.read_text().splitlines()[found.span.start.line - 1]
    number = POLICY.splitlines().index('instance_types: ["ml.g5.*", ml.p4d.24xlarge]') + 1
    assert f"policy.yaml:{number} (instance_types)" in found.message


def test_aliases_count_as_what_they_stand_for(policy, tmp_path):
    body = request()
    body["CheckpointConfig"]["S3Uri"] = "s3://evil/"
    text = yaml.safe_dump(body).replace("Environment:\n", "Environment:\n  A: *there\n")
    file = tmp_path / "body.yaml"
    file.write_text(text.replace("  S3Uri: s3://evil/", "  S3Uri: &there s3://evil/"))
    codes = {CODES[entry.code] for entry in check(file, policy=policy).diagnostics}
    assert codes == {"output_prefixes", "data_prefixes"}


def test_a_key_twice_or_another_file_beneath_is_not_judged(policy, tmp_path):
    file = tmp_path / "body.json"
    file.write_text(json.dumps(request())[:-1] + ', "EnableManagedSpotTraining": false}')
    assert not check(file, policy=policy).ok
    (tmp_path / "base.json").write_text(json.dumps(request()))
    file.write_text('{"extends": "base.json", "RoleArn": "r", "TrainingJobName": "x"}')
    report = check(file, policy=policy)
    assert [entry.code for entry in report.diagnostics] == ["HB680"]


def test_what_hbspec_compiles_of_a_spec_that_keeps_a_policy_keeps_it(policy):
    from policies import spec

    from hbspec.api import compile_spec

    (body,) = (file for file in compile_spec(spec()) if file.path == "create_training_job.json")
    values = json.loads(body.content)
    assert broken(values, policy) == set()
