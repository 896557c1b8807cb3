"""Requests are judged as AWS's service model judges them, and by the rules that it has in prose only."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from jsonschema import Draft202012Validator

from hbspec.catalog.partitions import PARTITIONS, partition
from hbspec.targets.aws.requests import BODY_RULES, OPERATIONS, REGION_RULES, Problem, schema_problems, validate
from hbspec.targets.aws.requests.schema import schema

BODIES = Path(__file__).with_name("bodies")
REGION = "ca-central-1"
DELETE = object()
SERVICES = {
    "PutDashboard": "cloudwatch",
    "PutMetricAlarm": "cloudwatch",
    "PutScalingPolicy": "application-autoscaling",
    "RegisterScalableTarget": "application-autoscaling",
}

Body = dict[str, Any]


def body(operation: str) -> Body:
    """A request that the service would take."""
    return json.loads((BODIES / f"{operation}.json").read_text(encoding="utf-8"))


def changed(operation: str, *changes: tuple[tuple[str | int, ...], object]) -> Body:
    """The good request with values set (or, with `DELETE`, removed) at some places."""
    result = body(operation)
    for route, value in changes:
        place = result
        for part in route[:-1]:
            place = place[part]
        if value is DELETE:
            del place[route[-1]]
        else:
            place[route[-1]] = value
    return result


def botocore_accepts(operation: str, request: Mapping[str, Any]) -> bool:
    """Whether botocore's own check, that of boto3 and the AWS CLI, has nothing to say."""
    service = SERVICES.get(operation, "sagemaker")
    shape = service_model(service).operation_model(operation).input_shape
    return not ParamValidator().validate(request, shape).has_errors()


@cache
def service_model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"))


# Good requests


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_good_request_has_no_problem(operation: str) -> None:
    request = body(operation)
    assert validate(operation, request, REGION) == []
    assert validate(operation, request) == []
    assert botocore_accepts(operation, request)


def test_an_operation_without_a_schema_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="DeleteEverything"):
        validate("DeleteEverything", {})


# One defect at a time

JOB, CONFIG = "CreateTrainingJob", "CreateEndpointConfig"
RESOURCES, STOPPING, ALGORITHM = "ResourceConfig", "StoppingCondition", "AlgorithmSpecification"
INSTANCE, COUNT = (RESOURCES, "InstanceType"), (RESOURCES, "InstanceCount")
WAIT, REGEX = (STOPPING, "MaxWaitTimeInSeconds"), (ALGORITHM, "MetricDefinitions", 0, "Regex")
NAME, IMAGE, OUTPUT = ("TrainingJobName",), (ALGORITHM, "TrainingImage"), "OutputDataConfig"
SOURCE = ("InputDataConfig", 1, "DataSource")
CHANNEL = body(JOB)["InputDataConfig"][0]
FILE_SYSTEM = {
    "FileSystemId": "fs-0123456789abcdef0",
    "FileSystemAccessMode": "ro",
    "FileSystemType": "FSxLustre",
    "DirectoryPath": "/fsx",
}

# One defect each in the good CreateTrainingJob request, under the first layer that sees it: the check that finds it,
# the place, the value there, and a part of the message.
Mutation = tuple[str, tuple[str | int, ...], object, str]
MUTATIONS: dict[str, list[Mutation]] = {
    # botocore's ParamValidator, so boto3 and the AWS CLI, already refuses it.
    "botocore": [
        ("type", COUNT, "1", "is a string, but must be an integer"),
        ("type", ("HyperParameters", "LORA_R"), 16, "HyperParameters.LORA_R is an integer, but must be a string"),
        ("required", ("RoleArn",), DELETE, "RoleArn is missing"),
        ("additionalProperties", (RESOURCES, "InstanceTyp"), "x", "did you mean 'InstanceType'?"),
        ("minimum", (STOPPING, "MaxRuntimeInSeconds"), 0, "is 0, at least 1 is needed"),
        ("minLength", NAME, "", "is 0 characters long, at least 1 is needed"),
        ("minLength", ("RoleArn",), "HeartBeat", "RoleArn is 9 characters long, at least 20 is needed"),
    ],
    # Only the enums, patterns and maxima of the service model refuse it.
    "schema": [
        ("enum", INSTANCE, "ml.p4d.96xlarge", "did you mean 'ml.p4d.24xlarge'?"),
        ("enum", INSTANCE, "p4d.24xlarge", "is not one of its 225 values; did you mean 'ml.p4d.24xlarge'?"),
        ("enum", (OUTPUT, "CompressionType"), "ZIP", "'ZIP' is not one of 'GZIP', 'NONE'"),
        ("enum", (ALGORITHM, "TrainingInputMode"), "FILE", "'FILE' is not one of 'Pipe', 'File', 'FastFile'"),
        ("pattern", NAME, "bad_name", "'bad_name' does not match [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"),
        ("pattern", NAME, "heartbeat-", "'heartbeat-' does not match"),
        ("pattern", NAME, "heartbeat\n", "line breaks are not allowed"),
        ("pattern", ("RoleArn",), "arn:aws:iam::1111:role/HeartBeat", "'arn:aws:iam::1111:role/HeartBeat' does not"),
        ("pattern", (OUTPUT, "S3OutputPath"), "http://heartbeat/models", "does not match (https|s3)://"),
        ("pattern", ("Environment", "1ST"), "x", "a key of Environment, '1ST' does not match"),
        ("pattern", ("HyperParameters", "P"), "a\nb", "HyperParameters.P contains a line break"),
        ("pattern", ("InputDataConfig", 0, "ChannelName"), "my data", "InputDataConfig[0].ChannelName 'my data'"),
        ("pattern", ("Tags", 0, "Key"), "urgent!", "Tags[0].Key 'urgent!' does not match"),
        ("maxLength", NAME, "n" * 64, "TrainingJobName is 64 characters long, the limit is 63"),
        ("maxLength", ("Environment", "V"), "v" * 513, "is 513 characters long, the limit is 512"),
        ("maxLength", ("HyperParameters", "P"), "p" * 2501, "P is 2501 characters long, the limit is 2500"),
        ("maxLength", ("HyperParameters", "p" * 257), "", "a key of HyperParameters, is 257 characters long"),
        ("maxProperties", ("HyperParameters",), {f"P{i}": "" for i in range(101)}, "101 entries, the limit is 100"),
        ("maxProperties", ("Environment",), {f"V{i}": "" for i in range(101)}, "101 entries, the limit is 100"),
        ("maxItems", REGEX[:2], [{"Name": f"m{i}", "Regex": "(x)"} for i in range(41)], "41 entries, the limit is 40"),
        ("maxItems", SOURCE[:1], [CHANNEL | {"ChannelName": f"c{i}"} for i in range(21)], "21 entries, the limit is"),
        ("maxItems", ("Tags",), [{"Key": f"k{i}", "Value": ""} for i in range(51)], "51 entries, the limit is 50"),
        ("maximum", ("RetryStrategy", "MaximumRetryAttempts"), 31, "is 31, the limit is 30"),
        ("maximum", COUNT, 2**31, "is 2147483648, the limit is 2147483647"),
    ],
}  # fmt: skip


def first_layer(request: Body) -> str:
    """Who refuses a CreateTrainingJob request first."""
    if not botocore_accepts(JOB, request):
        return "botocore"
    if schema_problems(JOB, request):
        return "schema"
    return "nobody"


@pytest.mark.parametrize(
    ("layer", "defect"),
    [(layer, defect) for layer, defects in MUTATIONS.items() for defect in defects],
    ids=[f"{layer}: {message}" for layer, defects in MUTATIONS.items() for *_, message in defects],
)
def test_one_defect_is_found_by_the_first_layer_that_can_see_it(layer: str, defect: Mutation) -> None:
    check, route, value, message = defect
    request = changed(JOB, (route, value))
    assert first_layer(request) == layer
    problems = validate(JOB, request, REGION)
    assert {problem.check for problem in problems} == {check}
    assert any(message in problem.message for problem in problems), problems


def test_a_warm_pool_lasts_six_hours() -> None:
    on_demand = (("EnableManagedSpotTraining",), False), (WAIT, DELETE)
    request = changed(JOB, *on_demand, ((RESOURCES, "KeepAlivePeriodInSeconds"), 25_200))
    assert [problem.message for problem in validate(JOB, request)] == [
        "ResourceConfig.KeepAlivePeriodInSeconds is 25200, the limit is 21600"
    ]


def test_a_problem_names_its_place() -> None:
    request = changed(JOB, (("InputDataConfig", 1, "ChannelName"), "my data"), (("Environment", "1ST"), ""))
    assert [problem.route for problem in validate(JOB, request)] == [
        ("InputDataConfig", 1, "ChannelName"),
        ("Environment", "1ST"),
    ]


def test_all_problems_are_said_at_once_and_each_once() -> None:
    checks = [problem.check for problem in validate(JOB, {"TrainingJobName": "a_b", "Tag": []})]
    assert checks == [
        "pattern", "additionalProperties", "required", "required",
        "member_of_a_job_missing", "member_of_a_job_missing", "member_of_a_job_missing",
    ]  # fmt: skip


def test_rules_do_not_judge_what_has_the_wrong_type() -> None:
    request = changed(JOB, ((STOPPING,), "57600"))
    assert validate(JOB, request, REGION) == [
        Problem((STOPPING,), "StoppingCondition is a string, but must be an object", "type")
    ]


def test_free_text_is_not_repeated() -> None:
    secret = "hf_AbCdEfGhIjKlMnOp"
    request = changed(
        JOB,
        (("HyperParameters", "TOKEN"), f"{secret}\n"),
        (("Environment", "TOKEN"), secret * 40),
        ((RESOURCES,), secret),
    )
    problems = validate(JOB, request)
    assert [problem.check for problem in problems] == ["pattern", "type", "maxLength"]
    assert not any(secret in problem.message for problem in problems)


def test_a_text_that_is_too_long_is_not_matched() -> None:
    """Matching it would take its length squared: days for this one."""
    request = changed(JOB, (("OutputDataConfig", "S3OutputPath"), "s3://" + "a" * 10**7 + "/\n"))
    assert [problem.check for problem in validate(JOB, request)] == ["maxLength"]


def test_numbers_are_those_of_json() -> None:
    for weight in (float("nan"), float("inf"), True):
        request = changed(CONFIG, (("ProductionVariants", 0, "InitialVariantWeight"), weight))
        assert [problem.check for problem in validate(CONFIG, request)] == ["type"]
    assert [problem.check for problem in validate(JOB, changed(JOB, ((RESOURCES, "InstanceCount"), 1.0)))] == ["type"]


# Hosting


@pytest.mark.parametrize(
    ("operation", "check", "changes", "message"),
    [
        (
            "CreateEndpointConfig",
            "enum",
            [(("ProductionVariants", 0, "InstanceType"), "g5.12xlarge")],
            "did you mean 'ml.g5.12xlarge'?",
        ),
        (
            "CreateEndpointConfig",
            "maximum",
            [(("ProductionVariants", 0, "ModelDataDownloadTimeoutInSeconds"), 9999)],
            "is 9999, the limit is 3600",
        ),
        (
            "CreateEndpointConfig",
            "variant_named_twice",
            [(("ProductionVariants", 0, "VariantName"), "candidate")],
            "2 variants are named 'candidate'",
        ),
        (
            "CreateEndpointConfig",
            "shadow_variant_count",
            [(("ShadowProductionVariants",), [{"VariantName": "shadow", "ModelName": "heartbeat-candidate"}])],
            "1 shadow variants and 2 production variants; only 1 of each is allowed",
        ),
        (
            "CreateModel",
            "environment_too_large",
            [(("PrimaryContainer", "Environment"), {f"V{i:02}": "é" * 512 for i in range(32)})],
            "take 32864 bytes, the limit is 32768",
        ),
        (
            "CreateModel",
            "image_in_another_region",
            [
                (("PrimaryContainer",), DELETE),
                (("Containers",), [{"Image": "763104351884.dkr.ecr.us-east-2.amazonaws.com/x"}]),
            ],
            "Containers[0].Image is in us-east-2",
        ),
        (
            "CreateModel",
            "role_in_another_partition",
            [(("ExecutionRoleArn",), "arn:aws-us-gov:iam::111122223333:role/HeartBeat")],
            "partition 'aws-us-gov'",
        ),
        ("CreateEndpoint", "pattern", [(("EndpointName",), "heart beat")], "'heart beat' does not match"),
        (
            "RegisterScalableTarget",
            "enum",
            [(("ScalableDimension",), "sagemaker:variant:DesiredInstances")],
            "did you mean 'sagemaker:variant:DesiredInstanceCount'?",
        ),
        ("PutScalingPolicy", "pattern", [(("PolicyName",), "été")], "does not match \\p{Print}+"),
    ],
)  # fmt: skip
def test_a_defect_in_hosting_is_found(operation: str, check: str, changes: list[Any], message: str) -> None:
    (problem,) = validate(operation, changed(operation, *changes), REGION)
    assert problem.check == check
    assert message in problem.message


def test_one_variant_may_have_one_shadow() -> None:
    config = body("CreateEndpointConfig")
    config["ShadowProductionVariants"] = [config["ProductionVariants"].pop()]
    assert validate("CreateEndpointConfig", config, REGION) == []


def test_images_outside_ecr_and_regions_unknown_are_not_judged() -> None:
    request = changed("CreateModel", (("PrimaryContainer", "Image"), "registry.example.com/vllm:1"))
    assert validate("CreateModel", request, "us-east-1") == []
    assert not any(p.check == "role_in_another_partition" for p in validate("CreateModel", request, "moon-1"))


# Every place of every good request, replaced by junk


def places(value: Any, route: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Each place of a request; of a list the first only, and one hyperparameter, since the others are like it."""
    if route:
        yield route
    children = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    for key, child in children[:1] if isinstance(value, list) or route == ("HyperParameters",) else children:
        yield from places(child, (*route, key))


JUNK = (None, True, 0, -1, 2**40, 1.5, "", "x", "\n", "é" * 5000, [], [{}], {}, {"x": "y"}, DELETE)


@pytest.mark.parametrize(
    "operation",
    [pytest.param(one, marks=pytest.mark.long) if one == "CreateProcessingJob" else one for one in OPERATIONS],
)
def test_junk_is_judged_as_by_two_others(operation: str) -> None:
    """Never a traceback; all that botocore refuses is refused; and stock jsonschema agrees about the schema."""
    stock = Draft202012Validator(schema(operation))
    rules = {rule.__name__ for rule in (*BODY_RULES.get(operation, ()), *REGION_RULES.get(operation, ()))}
    for route in places(body(operation)):
        for junk in JUNK:
            request = changed(operation, (route, copy.deepcopy(junk) if junk is not DELETE else DELETE))
            problems = validate(operation, request, REGION)
            refused = any(problem.check not in rules for problem in problems)
            assert refused is not stock.is_valid(request), (route, junk)
            assert refused or botocore_accepts(operation, request), (route, junk)
            assert all(problem.message for problem in problems)


# Partitions


def test_partitions_are_botocore_s() -> None:
    table = json.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_text())["partitions"]
    ours = {(known.name, known.regions, known.domain) for known in PARTITIONS}
    assert ours == {(row["id"], row["regionRegex"], row["outputs"]["dnsSuffix"]) for row in table}
    for row in table:
        for region in row["regions"]:
            found = partition(region)
            assert (found is None) if region.endswith("-global") else (found is not None and found.name == row["id"])


# Start-up


def test_jsonschema_is_loaded_by_judging_only() -> None:
    def loaded(after: str) -> str:
        code = (
            f"import sys; from hbspec.catalog import limits; from hbspec.targets.aws.requests import validate; {after}"
        )
        code += "; print(sorted({'jsonschema', 'botocore', 'boto3'} & set(sys.modules)))"
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    assert loaded("limits.MAX_TAGS") == "[]"
    assert loaded("validate('CreateEndpoint', {})") == "['jsonschema']"
