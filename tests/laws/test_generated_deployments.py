"""Laws of compiled endpoints: AWS's own models, cfn-lint and the engine's facts accept what each target writes."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from generated_deployments import spec

from hbspec.analysis import Analysis, analyse
from hbspec.catalog import catalog
from hbspec.catalog.engines import refusals
from hbspec.catalog.engines.arguments import refused
from hbspec.catalog.engines.facts import LAST_WITH_BITSANDBYTES, NEWEST, arguments
from hbspec.source import load_mapping
from hbspec.spec import Spec, read
from hbspec.targets import target_of
from hbspec.targets.aws.ownership import OWNER
from hbspec.targets.lowering.needs import LoweringError

SEEDS = range(100)
BATCHES = [range(first, first + 25) for first in SEEDS[::25]]
SERVICES = {
    "create_model": ("sagemaker", "CreateModel"),
    "create_endpoint_config": ("sagemaker", "CreateEndpointConfig"),
    "create_endpoint": ("sagemaker", "CreateEndpoint"),
    "register_scalable_target": ("application-autoscaling", "RegisterScalableTarget"),
    "put_scaling_policy": ("application-autoscaling", "PutScalingPolicy"),
    "put_scaling_policy_from_zero": ("application-autoscaling", "PutScalingPolicy"),
    "put_metric_alarm": ("cloudwatch", "PutMetricAlarm"),
    "put_metric_alarm_from_zero": ("cloudwatch", "PutMetricAlarm"),
    "update_endpoint": ("sagemaker", "UpdateEndpoint"),
    "create_inference_component": ("sagemaker", "CreateInferenceComponent"),
    "update_inference_component": ("sagemaker", "UpdateInferenceComponent"),
}
SCRIPTS_OWN = {"request", "update_endpoint", "update_inference_component"}
"""What `deploy.sh` of the deployment sends, and no stack holds: CloudFormation updates by itself."""
STACKS_OWN = {"ServerErrorsAlarm", "LateAnswersAlarm", "Dashboard"}
RESOURCES = {
    "Model": "create_model",
    "Configuration": "create_endpoint_config",
    "Endpoint": "create_endpoint",
    "ScalableTarget": "register_scalable_target",
    "ScalingPolicy": "put_scaling_policy",
    "ErrorsAlarm": "put_metric_alarm",
    "Component": "create_inference_component",
    "FromZeroPolicy": "put_scaling_policy_from_zero",
    "WaitingAlarm": "put_metric_alarm_from_zero",
}


@cache
def service(name: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


def compiled(seed: int, target: str) -> dict[str, bytes] | list[tuple[str, str]]:
    """The files, or code and key of each error of the target. Rules are not asked: they judge sizes, and search."""
    try:
        return {file.path: file.content for file in target_of(target).compiled(analysis(seed))}
    except LoweringError as invalid:
        return [(finding.code, ".".join(map(str, finding.route))) for finding in invalid.findings]


@cache
def analysis(seed: int) -> Analysis:
    document = load_mapping(spec(seed))
    typed = read(document)
    assert isinstance(typed, Spec), typed
    return analyse(document, typed, catalog(), date(2026, 11, 1))


def bodies(files: dict[str, bytes]) -> dict[str, Any]:
    return {path.removesuffix(".json"): json.loads(content) for path, content in files.items() if ".json" in path}


def release(image: str) -> str:
    return LAST_WITH_BITSANDBYTES if f":{LAST_WITH_BITSANDBYTES}-" in image else NEWEST


@pytest.mark.parametrize("batch", BATCHES, ids=str)
def test_every_body_is_accepted_by_the_services_and_the_engine(batch: range) -> None:
    for seed in batch:
        files = compiled(seed, "deployment")
        assert isinstance(files, dict), (seed, files)
        found = bodies(files)
        for name, (home, operation) in SERVICES.items():
            if name in found:
                shape = service(home).operation_model(operation).input_shape
                assert ParamValidator().validate(found[name], shape).generate_report() == "", seed
        container = found["create_model"]["PrimaryContainer"]
        engine = "vllm" if "SM_VLLM_DTYPE" in container["Environment"] else "djl-lmi"
        assert refusals(engine, container["Environment"], release(container["Image"])) == [], seed


@pytest.mark.parametrize("batch", BATCHES, ids=str)
def test_every_program_has_arguments_that_vllm_takes(batch: range) -> None:
    for seed in batch:
        files = compiled(seed, "serve")
        assert isinstance(files, dict), (seed, files)
        script = files["serve.sh"].decode()
        image = next(line for line in files["docker-run.sh"].decode().splitlines() if line.startswith("image="))
        known = arguments(release(image)) | {"host": {"kind": "str"}}
        command = script.partition("\nexec ")[2].replace("\\\n", " ")
        words = shlex.split(command.replace("${PORT:-8080}", "8080"))
        assert words[:2] == ["vllm", "serve"]
        given: list[tuple[str, list[str]]] = []
        for word in words[3:-1]:
            if word.startswith("--"):
                given.append((word.removeprefix("--"), []))
            else:
                given[-1][1].append(word)
        assert [why for name, values in given if (why := refused(name, values, known))] == [], seed
        assert len({name for name, _ in given}) == len(given) > 6
        for path in ("serve.sh", "docker-run.sh"):
            assert subprocess.run(["bash", "-n"], input=files[path], capture_output=True).stderr == b"", seed


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.long)])
def test_every_template_has_the_deployment_s_bodies_and_no_finding(every: int, tmp_path: Path) -> None:
    """cfn-lint, which takes longest, judges one of so many."""
    written, beside = [], 0
    for seed in SEEDS:
        files = compiled(seed, "cloudformation")
        if isinstance(files, list):  # adapters beside a copy of the base model
            assert {code for code, _ in files} >= {"HB540"}, (seed, files)
            assert spec(seed)["model"]["source"]
            beside += 1
            continue
        resources = json.loads(files["template.json"])["Resources"]
        for name in STACKS_OWN:
            resources.pop(name, None)
        deployment = compiled(seed, "deployment")
        assert isinstance(deployment, dict)
        found = bodies(deployment)
        assert {RESOURCES[name] for name in resources} == set(found) - SCRIPTS_OWN
        for name, resource in resources.items():
            body = found[RESOURCES[name]]
            body["Tags"] = [tag for tag in body.get("Tags", ()) if tag["Key"] != OWNER] or None
            same = {key for key, value in resource["Properties"].items() if body.get(key) == value}
            compared = {"AsyncInferenceConfig", "Threshold", "StepScalingPolicyConfiguration"}
            compared |= {"Tags", "VpcConfig", "MaxCapacity", "PolicyType", "DataCaptureConfig", "KmsKeyId"}
            assert same >= {key for key in compared if body.get(key)}, seed
        written.append(tmp_path / f"{seed}.json")
        written[-1].write_bytes(files["template.json"])
    assert len(written) > 60
    assert beside > 5
    texts = [path.read_text() for path in written]
    for kind in ("AsyncInferenceConfig", "SageMaker::InferenceComponent", "FromZeroPolicy", "S3FailurePath"):
        assert sum(kind in text for text in texts) > 5, kind
    linter = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([linter, "--", *written[::every]], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
