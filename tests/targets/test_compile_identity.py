"""A training job's name: the same job has the same, another job another, and what it writes lies in folders of it."""

from __future__ import annotations

import re

import pytest
from compiled import BASE, HEARTBEAT, body, files, project, source_uri

from hbspec.catalog.limits import MAX_TRAINING_JOB_NAME_LENGTH
from hbspec.plan.training_job import LAST_ATTEMPT, LONGEST_NAME


def name(spec=BASE, *overrides):
    return body(spec, *overrides, force=True)["TrainingJobName"]


SPOT = "instance={type: ml.p4d.24xlarge, region: us-east-1, parallelism: ddp, spot: true, max_wait: 30h}"


@pytest.mark.parametrize(
    "override",
    [
        "instance.max_runtime=5h",
        SPOT,
        "instance.keep_alive=30m",
        "sagemaker.tags={team: hockey}",
        "instance.retries=3",
        "data.input_mode=FastFile",
        "budget.max_cost=600 USD",
        "expect={training.epochs: 3}",
        "deployment=null",
        "deployment.concurrency=2",
        "evaluation=[{suite: a, min_score: 0.5}]",
        "data.tokens={mean: 300, max: 700}",
    ],
)
def test_claims_limits_and_what_comes_after_are_no_part_of_the_job(override):
    assert name(BASE, override) == name()


def test_neither_is_a_comment(tmp_path):
    spec = tmp_path / "spec.yaml"
    spec.write_text(f"# another day\n{BASE.read_text()}\n# the end\n")
    assert name(spec) == name()


@pytest.mark.parametrize(
    "override",
    [
        "hyperparameters.lora_r=8",
        "hyperparameters.seed=1",
        "model.revision=abc",
        "data.train.uri=s3://bucket/train2/",
        "data.validation=null",
        "instance.type=ml.p5.48xlarge",
        "instance.parallelism=zero2",
        "sagemaker.environment={NCCL_DEBUG: WARN}",
        "sagemaker.image=111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:1",
        "sagemaker.checkpoints=s3://bucket/others/",
        "sagemaker.output=s3://bucket/others/",
        "monitoring={metrics: [{name: mine, regex: 'mine=([0-9.]+)'}]}",
    ],
)
def test_what_is_asked_for_is_part_of_the_job(override):
    assert name(BASE, override) != name()


def test_so_is_the_region_where_no_image_names_it():
    """In two regions a name is free twice, and both jobs would write into the same prefixes."""
    own = "sagemaker.image=registry.example.com/team/trainer:1"
    assert name(BASE, own, "instance.region=us-west-2") != name(BASE, own)


@pytest.mark.parametrize("file", ["src/train.py", "src/lib.py"])
def test_so_is_every_file_that_runs(file, tmp_path):
    spec = project(tmp_path, "reads: arguments", lib_dot_py="A = 1\n")
    before = name(spec)
    assert name(spec) == before
    (tmp_path / file).write_text("print('another')\n")
    assert name(spec) != before


def test_the_longest_name_leaves_room_for_every_attempt():
    longest = name(BASE, f"name={'a' * LONGEST_NAME}")
    assert len(f"{longest}-{LAST_ATTEMPT}") == MAX_TRAINING_JOB_NAME_LENGTH


SHARED = ("s3://shared/jobs", "s3://shared/jobs/")


@pytest.mark.parametrize("shared", SHARED)
def test_two_jobs_that_name_the_same_prefixes_share_nothing(shared):
    prefixes = [f"sagemaker.{key}={shared}" for key in ("output", "code", "checkpoints")]
    one, other = (body(BASE, *prefixes, f"hyperparameters.lora_r={rank}") for rank in (8, 16))
    places = [place for job in (one, other) for place in (source_uri(job), job["CheckpointConfig"]["S3Uri"])]
    places += [f"{job['OutputDataConfig']['S3OutputPath']}{job['TrainingJobName']}/output/" for job in (one, other)]
    assert all(place.startswith("s3://shared/jobs/") and place.endswith("/") for place in places)
    assert [(a, b) for a in places for b in places if a is not b and a.startswith(b)] == []


def test_addresses_are_taken_as_they_are():
    """S3 knows no `..` and no empty folder: to tidy them would be to write elsewhere."""
    job = body(BASE, "sagemaker.output=s3://bucket/a//b/../c//", "sagemaker.code=null")
    assert job["OutputDataConfig"]["S3OutputPath"] == "s3://bucket/a//b/../c//"
    assert source_uri(job) == f"s3://bucket/a//b/../c//{job['TrainingJobName']}/code/"


@pytest.mark.parametrize("spec", [BASE, HEARTBEAT], ids=lambda path: path.stem)
def test_the_deployment_is_of_the_same_job(spec):
    script = files(spec, "deployment", force=True)["deploy.sh"].decode()
    assert re.search(r"^  job=(.*)$", script, re.MULTILINE)[1] == name(spec)
