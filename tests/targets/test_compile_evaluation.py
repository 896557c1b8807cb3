"""The target `evaluation`: a body that the service takes, the harness beside it, and what it refuses."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from compiled import BASE, body, files, refusals

from hbspec.targets.aws.requests import validate

SUITES = "evaluation=[{suite: reasoning-quality, min_score: 0.9}, {suite: own, min_score: 0.8, seed: 3, data: 's3://bucket/own/'}]"
JOB = body(BASE)["TrainingJobName"]


def compiled(*overrides: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The body, and all files."""
    found = files(BASE, "evaluation", SUITES, *overrides)
    return json.loads(found["create_processing_job.json"]), found


def test_the_model_of_the_job_and_the_suites_cases_are_read_and_the_record_is_kept() -> None:
    found, _ = compiled()
    assert validate("CreateProcessingJob", found, "us-east-1") == []
    places = {one["InputName"]: one["S3Input"]["S3Uri"] for one in found["ProcessingInputs"]}
    assert places["model"] == f"s3://bucket/models/{JOB}/output/model.tar.gz"
    assert places["suite-1"] == "s3://bucket/own/"
    assert places["code"].startswith(f"s3://bucket/models/{JOB}/evaluation/")
    (output,) = found["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3UploadMode"] == "Continuous"
    assert found["ProcessingResources"]["ClusterConfig"]["InstanceType"] == "ml.g5.12xlarge"
    assert found["ProcessingResources"]["ClusterConfig"]["VolumeSizeInGB"] >= 66, "the base model in 16 bits"
    assert len(found["ProcessingJobName"] + "-yymmddhhmm") <= 63


def test_the_plan_is_what_the_harness_reads() -> None:
    plan = json.loads(compiled()[1]["source/evaluation.json"])
    assert plan["job"]["name"] == JOB
    assert [(suite["name"], suite["min_score"], suite["seed"], suite["items"]) for suite in plan["suites"]] == [
        ("reasoning-quality", 0.9, 0, 200),
        ("own", 0.8, 3, 200),
    ]
    assert [suite["folder"] for suite in plan["suites"]] == [None, "/opt/ml/processing/suite-1"]
    assert {"source/evaluate.py", "source/answers.py", "source/requirements.txt"} <= compiled()[1].keys()


def test_another_suite_is_another_evaluation_of_the_same_job() -> None:
    one, other = compiled()[0], compiled("evaluation[0].seed=1")[0]
    assert one["ProcessingJobName"] != other["ProcessingJobName"]
    assert compiled()[0] == one


def test_what_the_training_job_has_it_has_too() -> None:
    network = "sagemaker.vpc={subnets: [subnet-0a1b2c3d], security_groups: [sg-0a1b2c3d]}"
    found, _ = compiled(network, "sagemaker.kms_key=alias/mine", "sagemaker.tags={team: blue}")
    assert found["NetworkConfig"]["VpcConfig"]["Subnets"] == ["subnet-0a1b2c3d"]
    assert found["ProcessingOutputConfig"]["KmsKeyId"] == "alias/mine"
    assert found["Tags"] == [{"Key": "team", "Value": "blue"}]


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        (("evaluation=[]",), "evaluation"),
        ((SUITES, "evaluation[1].data=./own"), "evaluation.1.data"),
        (("evaluation=[{suite: sums, min_score: 0.9}]",), "evaluation.0.suite"),
        (("evaluation=[{suite: tool-usage, min_score: 0.9}]", "data.validation=null"), "evaluation.0.suite"),
        ((SUITES, "model.source=s3://bucket/base/"), "model.source"),
        ((SUITES, "sagemaker.role=null"), "sagemaker.role"),
    ],
)
def test_what_the_job_would_not_find_is_refused_at_its_key(overrides: tuple[str, ...], key: str) -> None:
    assert refusals(BASE, "evaluation", *overrides, force=True) == [("HB040", key)]


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (1, 0), (2, 2)])
def test_a_model_that_does_not_pass_does_not_fail_the_job(code: int, ends: int, tmp_path: Path) -> None:
    """Run with a double of the two programs that it starts."""
    (tmp_path / "start.sh").write_bytes(compiled()[1]["source/start.sh"])
    for name, exits in (("python", f"case $1 in evaluate.py) exit {code} ;; esac"), ("tar", "exit 0")):
        (tmp_path / name).write_text(f"#!/bin/bash\n{exits}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(["bash", tmp_path / "start.sh"], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, timeout=300)
    assert done.returncode == ends


def test_the_validation_split_is_the_data_of_a_suite_that_asks_it_and_a_file_is_named_as_one() -> None:
    suites = (
        "evaluation=[{suite: tool-usage, min_score: 0.9}, {suite: own, min_score: 0.8, data: 's3://bucket/own.jsonl'}]"
    )
    found = files(BASE, "evaluation", suites)
    inputs = json.loads(found["create_processing_job.json"])["ProcessingInputs"]
    places = {one["InputName"]: one["S3Input"]["S3Uri"] for one in inputs}
    assert (places["suite-0"], places["suite-1"]) == ("s3://bucket/validation/", "s3://bucket/own.jsonl")
    plan = json.loads(found["source/evaluation.json"])
    assert [suite["folder"] for suite in plan["suites"]] == [
        "/opt/ml/processing/suite-0",
        "/opt/ml/processing/suite-1/own.jsonl",
    ]
