"""An endpoint that answers at once and may have no instance: an inference component holds the model."""

from __future__ import annotations

import json

import pytest
from compiled import BASE, files

FROM_ZERO = "deployment.autoscaling={min: 0, max: 3}"
OF_COMPONENT = [{"Name": "InferenceComponentName", "Value": "base-candidate"}]


def bodies(*overrides):
    compiled = files(BASE, "deployment", *overrides)
    return {
        path.removesuffix(".json"): json.loads(content) for path, content in compiled.items() if path.endswith(".json")
    }


def resources(*overrides):
    return json.loads(files(BASE, "cloudformation", *overrides)["template.json"])["Resources"]


def test_the_variant_names_no_model_and_may_have_no_instance():
    config = bodies(FROM_ZERO)["create_endpoint_config"]
    (variant,) = config["ProductionVariants"]
    assert not {"ModelName", "InitialVariantWeight"} & set(variant)
    limits = {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": 3}
    assert variant["ManagedInstanceScaling"] == limits
    assert config["ExecutionRoleArn"] == "arn:aws:iam::111122223333:role/ExecutionRole"
    plain = bodies("deployment.autoscaling={min: 1, max: 3}")["create_endpoint_config"]
    assert "ExecutionRoleArn" not in plain
    assert "ManagedInstanceScaling" not in plain["ProductionVariants"][0]


@pytest.mark.parametrize(("gpus", "copies"), [(4, 1), (2, 2)])
def test_a_copy_takes_the_gpus_that_share_the_model(gpus, copies):
    more = (f"deployment.tensor_parallel={gpus}", f"deployment.instance.count={copies}")
    made = bodies(FROM_ZERO, *more)["create_inference_component"]
    assert made["Specification"]["ComputeResourceRequirements"]["NumberOfAcceleratorDevicesRequired"] == gpus
    assert made["RuntimeConfig"] == {"CopyCount": copies}
    assert (made["EndpointName"], made["VariantName"], made["Specification"]["ModelName"]) == (
        *("base", "candidate", "base"),
    )


def test_copies_are_scaled_and_a_refused_request_starts_the_first():
    found = bodies(FROM_ZERO)
    target, policy, step = (
        found[name] for name in ("register_scalable_target", "put_scaling_policy", "put_scaling_policy_from_zero")
    )
    for body in (target, policy, step):
        assert body["ResourceId"] == "inference-component/base-candidate"
        assert body["ScalableDimension"] == "sagemaker:inference-component:DesiredCopyCount"
    assert (target["MinCapacity"], target["MaxCapacity"]) == (0, 3)
    tracked = policy["TargetTrackingScalingPolicyConfiguration"]
    metric = "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution"
    assert tracked["PredefinedMetricSpecification"] == {"PredefinedMetricType": metric}
    assert tracked["TargetValue"] == 2.8
    alarm = found["put_metric_alarm_from_zero"]
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == ("NoCapacityInvocationFailures", "Sum", 1)
    assert alarm["Dimensions"] == OF_COMPONENT


def test_what_watches_requests_looks_at_the_component():
    assert bodies(FROM_ZERO)["put_metric_alarm"]["Dimensions"] == OF_COMPONENT
    found = resources(FROM_ZERO)
    named = [{"Name": "InferenceComponentName", "Value": {"Fn::Sub": "${EndpointName}-candidate"}}]
    for title in ("ErrorsAlarm", "ServerErrorsAlarm", "LateAnswersAlarm", "WaitingAlarm"):
        assert found[title]["Properties"]["Dimensions"] == named
    body = json.loads(found["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    shown = [metric for part in body["widgets"][:-1] for metric in part["properties"]["metrics"]]
    assert all(metric[2:] == ["InferenceComponentName", "${EndpointName}-candidate"] for metric in shown)
    assert {metric[0] for metric in shown} == {"AWS/SageMaker", "/aws/sagemaker/InferenceComponents"}


def test_requests_name_the_component():
    said = files(BASE, "deployment", FROM_ZERO)["deploy.sh"].decode()
    assert "--endpoint-name base --inference-component-name base-candidate" in said
    template = json.loads(files(BASE, "cloudformation", FROM_ZERO)["template.json"])
    command = template["Outputs"]["FirstRequest"]["Value"]["Fn::Sub"]
    assert "--inference-component-name ${EndpointName}-candidate " in command


def test_a_stack_has_the_component():
    found = resources(FROM_ZERO)
    made = found["Component"]["Properties"]
    assert made["Specification"]["ModelName"] == {"Fn::GetAtt": ["Model", "ModelName"]}
    assert found["Configuration"]["Properties"]["ExecutionRoleArn"] == {"Ref": "ExecutionRoleArn"}
    assert found["ScalableTarget"]["DependsOn"] == "Component"
    assert found["ScalableTarget"]["Properties"]["ResourceId"] == {
        "Fn::Sub": "inference-component/${EndpointName}-candidate"
    }


def test_the_network_is_the_configuration_s_too():
    vpc = "sagemaker.vpc={subnets: [subnet-0a1b2c3d], security_groups: [sg-0a1b2c3d]}"
    found = bodies(FROM_ZERO, vpc)
    assert found["create_endpoint_config"]["VpcConfig"] == found["create_model"]["VpcConfig"]
    assert "VpcConfig" not in bodies(vpc)["create_endpoint_config"]
