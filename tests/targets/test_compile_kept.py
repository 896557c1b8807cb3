"""What a job and an endpoint keep: the key that encrypts it, and copies of requests and answers."""

from __future__ import annotations

import json

import pytest
from compiled import BASE, files, refusals

KEY = "arn:aws:kms:us-east-1:111122223333:key/1a2b3c4d-1a2b-1a2b-1a2b-1a2b3c4d5e6f"
ENCRYPTED = f"sagemaker.kms_key={KEY}"
CAPTURED = "deployment.data_capture={percent: 20, uri: 's3://bucket/captured'}"
NO_NVME = "deployment.instance.type=ml.p3.8xlarge"


def compiled(target, name, *overrides):
    return json.loads(files(BASE, target, *overrides, force=True)[f"{name}.json"])


def endpoint_config(*overrides):
    return compiled("deployment", "create_endpoint_config", *overrides)


def test_the_model_and_the_volume_of_a_job_have_the_key():
    body = compiled("sagemaker", "create_training_job", ENCRYPTED, "instance.type=ml.p3.8xlarge")
    assert body["OutputDataConfig"]["KmsKeyId"] == body["ResourceConfig"]["VolumeKmsKeyId"] == KEY


def test_no_key_is_asked_of_local_disks():
    body = compiled("sagemaker", "create_training_job", ENCRYPTED)
    assert body["ResourceConfig"]["InstanceType"] == "ml.p4d.24xlarge"
    assert "VolumeKmsKeyId" not in body["ResourceConfig"]
    assert "KmsKeyId" not in endpoint_config(ENCRYPTED)  # ml.g5.12xlarge
    assert endpoint_config(ENCRYPTED, NO_NVME)["KmsKeyId"] == KEY


def test_requests_and_answers_are_copied():
    body = endpoint_config(CAPTURED)["DataCaptureConfig"]
    assert (body["EnableCapture"], body["InitialSamplingPercentage"]) == (True, 20)
    assert body["DestinationS3Uri"] == "s3://bucket/captured/"
    assert [option["CaptureMode"] for option in body["CaptureOptions"]] == ["Input", "Output"]
    assert "KmsKeyId" not in body
    assert endpoint_config(CAPTURED, ENCRYPTED)["DataCaptureConfig"]["KmsKeyId"] == KEY


def test_nothing_is_copied_or_encrypted_unasked():
    assert endpoint_config().keys() == {"EndpointConfigName", "ProductionVariants", "Tags"}
    assert compiled("sagemaker", "create_training_job")["OutputDataConfig"].keys() == {"S3OutputPath"}


@pytest.mark.parametrize(
    ("override", "code", "at"),
    [
        ("deployment.data_capture={uri: ./captured}", "HB604", "deployment.data_capture.uri"),
        ("deployment.data_capture={uri: 's3://bucket'}", "HB615", "deployment.data_capture.uri"),
        (
            "deployment.data_capture={uri: 's3://bucket/c/', percent: 0}",
            "HB024",
            "deployment.data_capture.percent",
        ),
    ],
)
def test_a_wrong_value_is_refused_at_its_key(override, code, at):
    assert (code, at) in refusals(BASE, "deployment", override)


def test_a_key_that_the_service_refuses_is_refused():
    key = "sagemaker.kms_key=a key"
    assert refusals(BASE, "sagemaker", key) == [("HB643", "sagemaker.kms_key")]
    assert ("HB043", "sagemaker.kms_key") in refusals(BASE, "sagemaker", key, force=True)
    assert ("HB043", "sagemaker.kms_key") in refusals(BASE, "deployment", key, CAPTURED, force=True)
