"""An endpoint with a queue: its configuration, its autoscaling, what watches it, and how it is asked."""

from __future__ import annotations

import json

import pytest
from compiled import BASE, files, refusals

QUEUED = "deployment.async_inference={output: 's3://bucket/answers'}"
FROM_ZERO = "deployment.autoscaling={min: 0, max: 3}"
KEY = "arn:aws:kms:us-east-1:111122223333:key/1a2b3c4d-1a2b-1a2b-1a2b-1a2b3c4d5e6f"
TOPIC = "arn:aws:sns:us-east-1:111122223333:answered"


def bodies(*overrides):
    compiled = files(BASE, "deployment", *overrides)
    return {
        path.removesuffix(".json"): json.loads(content) for path, content in compiled.items() if path.endswith(".json")
    }


def queue(*overrides):
    return bodies(QUEUED, *overrides)["create_endpoint_config"]["AsyncInferenceConfig"]


def template(*overrides):
    return json.loads(files(BASE, "cloudformation", QUEUED, *overrides)["template.json"])


def test_an_endpoint_has_a_queue_only_if_the_spec_says_so():
    assert "AsyncInferenceConfig" not in bodies()["create_endpoint_config"]
    assert queue() == {
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
        "OutputConfig": {"S3OutputPath": "s3://bucket/answers/"},
    }


def test_an_instance_is_sent_what_it_answers_at_once():
    assert queue("deployment.concurrency=7")["ClientConfig"] == {"MaxConcurrentInvocationsPerInstance": 7}
    refused = refusals(BASE, "deployment", QUEUED, "deployment.concurrency=1001", force=True)
    assert refused == [("HB043", "deployment.concurrency")]


def test_failures_topics_and_the_key_are_passed_on():
    told = "output: 's3://bucket/answers/', failures: 's3://bucket/failed/'"
    told = f"{{{told}, success_topic: '{TOPIC}', error_topic: '{TOPIC}'}}"
    found = bodies(f"deployment.async_inference={told}")["create_endpoint_config"]["AsyncInferenceConfig"]
    assert found["OutputConfig"] == {
        "S3OutputPath": "s3://bucket/answers/",
        "S3FailurePath": "s3://bucket/failed/",
        "NotificationConfig": {"SuccessTopic": TOPIC, "ErrorTopic": TOPIC},
    }
    assert queue(f"sagemaker.kms_key={KEY}")["OutputConfig"] == {
        "S3OutputPath": "s3://bucket/answers/",
        "KmsKeyId": KEY,
    }


@pytest.mark.parametrize(
    ("queue", "code", "key"),
    [
        ("{output: ./answers}", "HB604", "output"),
        ("{output: 's3://bucket/a/', failures: 'https://bucket/f'}", "HB604", "failures"),
        ("{output: 's3://bucket/train/answers/'}", "HB615", "output"),
        ("{output: 's3://bucket/a/', failures: 's3://bucket'}", "HB615", "failures"),
        ("{output: 's3://bucket/a/', error_topic: failed}", "HB643", "error_topic"),
        ("{output: 's3://bucket/a/', success_topic: answered}", "HB643", "success_topic"),
        ("{}", "HB021", "output"),
    ],
)
def test_a_wrong_value_is_refused_at_its_key(queue, code, key):
    override = f"deployment.async_inference={queue}"
    assert (code, f"deployment.async_inference.{key}") in refusals(BASE, "deployment", override)


def test_the_backlog_of_an_instance_is_tracked():
    policy = bodies(QUEUED, "deployment.autoscaling={min: 1, max: 3}")
    assert not {"put_scaling_policy_from_zero", "put_metric_alarm_from_zero"} & set(policy)
    tracked = policy["put_scaling_policy"]["TargetTrackingScalingPolicyConfiguration"]
    assert (tracked["TargetValue"], tracked["CustomizedMetricSpecification"]) == (
        4.0,
        {
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Namespace": "AWS/SageMaker",
            "Dimensions": [{"Name": "EndpointName", "Value": "base"}],
            "Statistic": "Average",
        },
    )
    assert "PredefinedMetricSpecification" not in tracked


def test_a_waiting_request_starts_the_first_instance():
    found = bodies(QUEUED, FROM_ZERO)
    assert found["register_scalable_target"]["MinCapacity"] == 0
    step = found["put_scaling_policy_from_zero"]
    assert (step["PolicyType"], step["ResourceId"]) == ("StepScaling", "endpoint/base/variant/candidate")
    assert step["StepScalingPolicyConfiguration"]["StepAdjustments"] == [
        {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}
    ]
    alarm = found["put_metric_alarm_from_zero"]
    assert (alarm["MetricName"], alarm["Threshold"]) == ("HasBacklogWithoutCapacity", 1)
    assert {"Key": "hbspec:deployment", "Value": "base"} in alarm["Tags"]


def test_an_update_is_rolled_back_by_a_metric_that_such_an_endpoint_has():
    assert bodies()["put_metric_alarm"]["MetricName"] == "InvocationModelErrors"
    assert bodies(QUEUED)["put_metric_alarm"]["MetricName"] == "Invocation5XXErrors"


def test_the_script_says_how_to_ask():
    script = files(BASE, "deployment", QUEUED)["deploy.sh"].decode()
    place = "s3://bucket/answers/requests/request.json"
    assert f"aws s3 cp --region us-east-1 request.json {place}" in script
    assert "invoke-endpoint-async --region us-east-1 --endpoint-name base " in script
    assert f"--invocation-timeout-seconds 3600 --input-location {place}" in script
    assert "invoke-endpoint " not in script


class TestStack:
    def test_it_has_the_queue_and_starts_the_first_instance(self):
        found = template(FROM_ZERO)["Resources"]
        assert found["Configuration"]["Properties"]["AsyncInferenceConfig"] == queue()
        assert found["WaitingAlarm"]["Properties"]["AlarmActions"] == [{"Ref": "FromZeroPolicy"}]
        assert "AlarmName" not in found["WaitingAlarm"]["Properties"]
        of_stack = [{"Name": "EndpointName", "Value": {"Ref": "EndpointName"}}]
        assert found["WaitingAlarm"]["Properties"]["Dimensions"] == of_stack
        policy = found["ScalingPolicy"]["Properties"]["TargetTrackingScalingPolicyConfiguration"]
        assert policy["CustomizedMetricSpecification"]["Dimensions"] == of_stack

    def test_its_output_says_how_to_ask(self):
        command = template()["Outputs"]["FirstRequest"]["Value"]["Fn::Sub"]
        assert command.startswith("aws s3 cp --region ${AWS::Region} request.json s3://bucket/answers/requests/")
        assert " && aws sagemaker-runtime invoke-endpoint-async --region ${AWS::Region} --endpoint-name " in command

    def test_a_dollar_of_the_author_is_no_parameter_of_the_stack(self):
        command = template("deployment.async_inference.output='s3://bucket/${Secret}/'")["Outputs"]["FirstRequest"]
        assert "${!Secret}" in command["Value"]["Fn::Sub"]
