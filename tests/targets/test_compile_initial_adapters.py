"""Adapters that training goes on from: the job is told their name, and has their files, or the target refuses them."""

from __future__ import annotations

import json

import pytest
from compiled import BASE, files, refusals

HUB, S3, FOLDER = "model.adapter=someone/adapters", "model.adapter=s3://bucket/job/checkpoint-3", "model.adapter=./here"


def test_a_prefix_is_a_channel_that_the_script_reads():
    compiled = files(BASE, "sagemaker", S3)
    request = json.loads(compiled["create_training_job.json"])
    (found,) = [channel for channel in request["InputDataConfig"] if channel["ChannelName"] == "adapter"]
    assert found["DataSource"]["S3DataSource"]["S3Uri"] == "s3://bucket/job/checkpoint-3/"
    assert request["HyperParameters"]["ADAPTER"] == "s3://bucket/job/checkpoint-3"
    assert b"export SM_CHANNEL_ADAPTER=/opt/ml/input/data/adapter\n" in compiled["source/launch.sh"]


def test_an_id_of_the_hub_is_downloaded_by_the_script():
    compiled = files(BASE, "sagemaker", HUB)
    request = json.loads(compiled["create_training_job.json"])
    assert request["HyperParameters"]["ADAPTER"] == "someone/adapters"
    assert b"SM_CHANNEL_ADAPTER" not in compiled["source/launch.sh"]


def test_elsewhere_their_folder_is_passed_at_the_start():
    assert json.loads(files(BASE, "launch", FOLDER)["hyperparameters.json"])["ADAPTER"] == "./here"


@pytest.mark.parametrize(
    ("target", "adapter", "code"),
    [
        ("sagemaker", FOLDER, "HB542"),
        ("axolotl", HUB, "HB542"),
        ("llamafactory", HUB, "HB542"),
        ("trl", HUB, "HB542"),
        ("hyperpod", S3, "HB542"),
        ("kubeflow", S3, "HB542"),
        ("skypilot", S3, "HB542"),
    ],
)
def test_a_target_that_does_not_reach_them_refuses_them(target, adapter, code):
    assert (code, "model.adapter") in refusals(BASE, target, adapter, force=True)
