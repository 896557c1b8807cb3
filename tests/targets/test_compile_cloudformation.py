"""The endpoint as a template: the deployment's bodies under CloudFormation's names, and the script that deploys it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from compiled import BASE, HEARTBEAT, SHEBANG, body, files, refusals

from hbspec.api import InvalidSpecError, compile_spec, estimate
from hbspec.manual import page_of
from hbspec.targets.aws.ownership import OWNER

TO_CHOOSE = {
    "Model": ("create_model.json", ("ModelName",), ("ExecutionRoleArn", "PrimaryContainer")),
    "Configuration": ("create_endpoint_config.json", ("EndpointConfigName",), ("ProductionVariants",)),
    "Endpoint": ("create_endpoint.json", (), ("EndpointName", "EndpointConfigName", "DeploymentConfig")),
    "ScalableTarget": ("register_scalable_target.json", (), ("ResourceId",)),
    "ScalingPolicy": ("put_scaling_policy.json", (), ("ResourceId",)),
    "ErrorsAlarm": ("put_metric_alarm.json", ("AlarmName",), ("Dimensions", "AlarmActions")),
}
STACKS_OWN = {"ServerErrorsAlarm", "LateAnswersAlarm", "Dashboard"}
QUEUED = "deployment.async_inference={output: 's3://bucket/answers/'}"
SCALED = "deployment.autoscaling={min: 1, max: 3}"
LONGEST = 51_200
"""Bytes of a template that is sent as it is, and not by way of a bucket (CreateStack, TemplateBody)."""
CLI = (
    SHEBANG
    + """
import json, os, sys
if "list-training-jobs" in sys.argv:
    print(sys.argv[sys.argv.index("--name-contains") + 1] + "-2\\tCompleted" if "DONE" in os.environ else "")
elif "describe-training-job" in sys.argv:
    print(os.environ.get("MODEL", "s3://bucket/second/output/model.tar.gz"))
elif "cloudformation" in sys.argv:
    with open("calls", "a") as calls:
        print(json.dumps(sys.argv[1:]), file=calls)
    sys.exit("deploy" in sys.argv and "FAILS" in os.environ)
"""
)


def template(*overrides: str, spec: Path = BASE) -> dict[str, Any]:
    content = files(spec, "cloudformation", *overrides, force=True)["template.json"]
    assert len(content) < LONGEST
    return dict(json.loads(content))


def properties(*overrides: str, spec: Path = BASE) -> dict[str, dict[str, Any]]:
    return {name: found["Properties"] for name, found in template(*overrides, spec=spec)["Resources"].items()}


@pytest.mark.parametrize(
    "more", [(), (SCALED,), ("deployment.engine=djl-lmi", "deployment.quantization=none"), ("sagemaker.tags={a: b}",)]
)
def test_the_resources_are_the_deployment_s_bodies(more):
    compiled, found = files(BASE, "deployment", *more, force=True), properties(*more)
    assert set(found) - STACKS_OWN == {name for name, (file, _, _) in TO_CHOOSE.items() if file in compiled}
    for name, members in found.items():
        if name in STACKS_OWN:
            continue
        file, chosen, filled = TO_CHOOSE[name]
        sent = json.loads(compiled[file])
        sent |= {"Tags": [tag for tag in sent.get("Tags", ()) if tag["Key"] != OWNER]}  # by which teardown.sh deletes
        expected = {key: value for key, value in sent.items() if value and key not in (*chosen, *filled)}
        more_members = {"RetainAllVariantProperties": True} if name == "Endpoint" and "ScalableTarget" in found else {}
        assert {key: value for key, value in members.items() if key not in filled} == expected | more_members


def test_the_container_and_the_variant_are_the_deployment_s_too():
    compiled, found = files(BASE, "deployment"), properties()
    container = json.loads(compiled["create_model.json"])["PrimaryContainer"]
    assert found["Model"]["PrimaryContainer"] == container | {"ModelDataUrl": {"Ref": "ModelDataUrl"}}
    (variant,) = json.loads(compiled["create_endpoint_config.json"])["ProductionVariants"]
    named = {"ModelName": {"Fn::GetAtt": ["Model", "ModelName"]}}
    assert found["Configuration"]["ProductionVariants"] == [variant | named]


def test_cloudformation_names_what_an_update_replaces():
    found = properties()
    assert "ModelName" not in found["Model"]
    assert "EndpointConfigName" not in found["Configuration"]
    assert found["Endpoint"]["EndpointName"] == {"Ref": "EndpointName"}
    assert found["Endpoint"]["EndpointConfigName"] == {"Fn::GetAtt": ["Configuration", "EndpointConfigName"]}


def test_parameters_have_the_spec_s_values_as_defaults():
    given = {name: entry["Default"] for name, entry in template()["Parameters"].items()}
    assert given == {
        "ModelDataUrl": f"s3://bucket/models/{body(BASE)['TrainingJobName']}/output/model.tar.gz",
        "ExecutionRoleArn": "arn:aws:iam::111122223333:role/ExecutionRole",
        "EndpointName": "base",
        "AlarmTopicArn": "",
    }


def test_outputs_say_where_and_how_to_ask():
    compiled, outputs = files(BASE, "cloudformation"), template()["Outputs"]
    assert outputs["EndpointName"]["Value"] == {"Fn::GetAtt": ["Endpoint", "EndpointName"]}
    command = outputs["FirstRequest"]["Value"]["Fn::Sub"]
    assert "invoke-endpoint --region ${AWS::Region} --endpoint-name ${Endpoint.EndpointName} " in command
    assert "--body fileb://request.json " in command
    assert compiled["request.json"] == files(BASE, "deployment")["request.json"]


def test_an_endpoint_that_scales_keeps_its_instances_through_an_update():
    found = template(SCALED)["Resources"]
    assert found["Endpoint"]["Properties"]["RetainAllVariantProperties"] is True
    assert "RetainAllVariantProperties" not in properties()["Endpoint"]
    resource = {"Fn::Sub": "endpoint/${Endpoint.EndpointName}/variant/candidate"}
    assert found["ScalableTarget"]["Properties"]["ResourceId"] == resource
    assert found["ScalingPolicy"]["Properties"]["ResourceId"] == resource
    assert found["ScalingPolicy"]["DependsOn"] == "ScalableTarget"


class TestWatching:
    def test_an_update_is_rolled_back_as_the_script_s_is(self):
        config = properties()["Endpoint"]["DeploymentConfig"]
        sent = json.loads(files(BASE, "deployment")["update_endpoint.json"])["DeploymentConfig"]
        assert config["BlueGreenUpdatePolicy"] == sent["BlueGreenUpdatePolicy"]
        assert config["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": {"Ref": "ErrorsAlarm"}}]}

    def test_alarms_are_told_to_a_topic_if_there_is_one(self):
        found = template()
        told = {"Fn::If": ["Notified", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
        alarms = [part["Properties"] for part in found["Resources"].values() if part["Type"].endswith("::Alarm")]
        assert len(alarms) == 3
        assert all(alarm["AlarmActions"] == told for alarm in alarms)
        of_stack = {"Name": "EndpointName", "Value": {"Ref": "EndpointName"}}
        assert all(of_stack in alarm["Dimensions"] for alarm in alarms)

    def test_late_is_more_than_predicted_under_load(self):
        short = "deployment.typical_output_tokens=50"
        load = estimate(BASE, overrides=[short]).serving.load
        assert load is not None
        alarm = properties(short)["LateAnswersAlarm"]
        assert alarm["Threshold"] == pytest.approx(load.latency_seconds.high * 1e6, rel=1e-6)
        assert (alarm["MetricName"], alarm["Statistic"]) == ("ModelLatency", "Average")

    @pytest.mark.parametrize(
        ("more", "seconds"),
        [
            (("deployment.typical_output_tokens=null",), 48),
            (("deployment.typical_output_tokens=400",), 48),
            (("deployment.typical_output_tokens=null", QUEUED), 2880),
        ],
    )
    def test_late_is_within_what_the_service_waits(self, more, seconds):
        assert properties(*more)["LateAnswersAlarm"]["Threshold"] == seconds * 1e6

    @pytest.mark.parametrize(
        ("more", "shown", "absent"),
        [((), "Invocations", "ApproximateBacklogSize"), ((QUEUED,), "ApproximateBacklogSize", "Invocations")],
    )
    def test_the_dashboard_shows_metrics_that_there_are(self, more, shown, absent):
        body = json.loads(properties(*more)["Dashboard"]["DashboardBody"]["Fn::Sub"])
        metrics = {metric[1] for part in body["widgets"][:-1] for metric in part["properties"]["metrics"]}
        assert {shown, "ModelLatency", "Invocation5XXErrors", "GPUUtilization", "GPUMemoryUtilization"} <= metrics
        assert absent not in metrics


def test_a_test_of_a_live_endpoint_is_refused_at_its_key():
    assert refusals(HEARTBEAT, "cloudformation") == [("HB540", "deployment.ab_test")]
    with pytest.raises(InvalidSpecError) as refused:
        compile_spec(HEARTBEAT, "cloudformation")
    (found,) = (entry for entry in refused.value.report.diagnostics if entry.code == "HB540")
    assert found.help == "compile the target deployment, or remove deployment.ab_test"
    page = page_of("HB540")
    assert page is not None
    assert page.name == found.name == "not-in-a-template"


def test_a_base_model_of_a_bucket_beside_adapters_is_refused_at_its_key():
    found = refusals(BASE, "cloudformation", "model.source=s3://bucket/qwen", force=True)
    assert found == [("HB540", "model.source")]
    copy = ("deployment.model=s3://bucket/awq", "deployment.quantization=awq")
    assert refusals(BASE, "cloudformation", *copy, force=True) == [("HB540", "deployment.model")]
    merged = ("model.source=s3://bucket/qwen", "deployment.adapters=merged")
    assert properties(*merged)["Model"]["PrimaryContainer"]["Environment"]["SM_VLLM_MODEL"] == "/opt/ml/model"


SECRET = "{{resolve:secretsmanager:prod/db:SecretString:password}}"


@pytest.mark.parametrize("spelled", [SECRET, "{{RESOLVE:ssm:/plain}}", "org/{{ resolve : ssm:/plain}}"])
@pytest.mark.parametrize(
    ("key", "more"),
    [
        ("model.revision", ()),
        ("deployment.model", ("deployment.quantization=awq",)),
        ("deployment.data_capture.uri", ()),
        ("deployment.async_inference.output", ()),
        ("sagemaker.output", ()),
    ],
)
def test_what_cloudformation_would_replace_by_a_secret_is_refused_at_its_key(key, spelled, more):
    """It has no escape: the secret would be in the environment of the container, which whoever describes it reads."""
    text = spelled if "uri" not in key and "output" not in key else f"s3://bucket/{spelled}/"
    found = refusals(BASE, "cloudformation", f"{key}={json.dumps(text)}", *more, force=True)
    assert ("HB540", key) in found


def test_what_cloudformation_would_replace_does_no_harm_where_no_template_holds_it():
    template(f"expect={{{json.dumps(SECRET)}: 1}}")
    deployed = files(BASE, "deployment", f"model.revision={json.dumps(SECRET)}", force=True)
    assert SECRET in deployed["create_model.json"].decode()


@pytest.mark.parametrize("key", ["sagemaker.role", "sagemaker.output", "deployment"])
def test_a_missing_key_is_named_for_this_target(key):
    with pytest.raises(InvalidSpecError) as refused:
        compile_spec(BASE, "cloudformation", overrides=[f"{key}=null"], force=True)
    messages = {entry.message for entry in refused.value.report.diagnostics if entry.code == "HB040"}
    assert f"target cloudformation needs {key}, which is missing" in messages


def test_what_the_service_refuses_is_refused_here_too():
    found = refusals(BASE, "cloudformation", "sagemaker.role=arn:aws:iam::1:role/x", force=True)
    assert ("HB043", "sagemaker.role") in found


def deployed(folder: Path, *words: str, spec: tuple[str, ...] = (), **more: str) -> subprocess.CompletedProcess[str]:
    """A run of `deploy.sh` where the AWS CLI only writes down how it was called."""
    for path, content in files(BASE, "cloudformation", *spec, force=True).items():
        (folder / path).write_bytes(content)
    (folder / "shims").mkdir(exist_ok=True)
    (folder / "shims/aws").write_text(CLI)
    (folder / "shims/aws").chmod(0o755)
    environment = {"PATH": f"{folder}/shims:{os.environ['PATH']}", "HOME": str(folder), **more}
    command = ["bash", str(folder / "deploy.sh"), *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


def calls(folder: Path) -> list[list[str]]:
    return [json.loads(line) for line in (folder / "calls").read_text().splitlines()]


def test_the_script_deploys_the_model_of_the_completed_attempt(tmp_path):
    done = deployed(tmp_path, "--tags", "a=b", DONE="1")
    assert done.returncode == 0, done.stderr
    deploy, describe = calls(tmp_path)
    assert deploy == [
        *("cloudformation", "deploy", "--region", "us-east-1", "--stack-name", "base"),
        *("--template-file", "template.json", "--no-fail-on-empty-changeset", "--parameter-overrides"),
        *("ModelDataUrl=s3://bucket/second/output/model.tar.gz", "--tags", "a=b"),
    ]
    assert describe[:2] == ["cloudformation", "describe-stacks"]
    assert "  aws cloudformation delete-stack --region us-east-1 --stack-name base\n" in done.stdout


def test_the_script_takes_another_job_and_another_stack(tmp_path):
    done = deployed(tmp_path, JOB="nightly-7", STACK="other")
    assert done.returncode == 0, done.stderr
    deploy, _ = calls(tmp_path)
    assert deploy[deploy.index("--stack-name") + 1] == "other"


@pytest.mark.parametrize(
    ("more", "said"),
    [({}, "no attempt at this training job has completed"), ({"DONE": "1", "MODEL": "None"}, "has no model")],
)
def test_without_a_model_nothing_is_deployed(more, said, tmp_path):
    done = deployed(tmp_path, **more)
    assert done.returncode == 1
    assert said in done.stderr
    assert not (tmp_path / "calls").exists()


def test_a_stack_that_fails_says_where_the_reason_is(tmp_path):
    done = deployed(tmp_path, DONE="1", FAILS="1")
    assert done.returncode == 1
    assert "aws cloudformation describe-stack-events --region us-east-1 --stack-name base" in done.stderr


def test_a_model_of_no_training_job_is_the_template_s_default(tmp_path):
    own = "instance={gpu: A100-80, gpus: 8, parallelism: ddp, region: us-east-1}"
    assert deployed(tmp_path, spec=(own,)).returncode == 0
    assert "--parameter-overrides" not in calls(tmp_path)[0]


def test_a_stack_s_name_begins_with_a_letter(tmp_path):
    assert deployed(tmp_path, spec=("name=7b-assistant",), DONE="1").returncode == 0
    assert "endpoint-7b-assistant" in calls(tmp_path)[0]


@pytest.mark.parametrize(("part", "refused"), [("example", True), ("instead", False)])
def test_the_page_s_examples_are_judged_as_it_says(part, refused, tmp_path):
    page = page_of("HB540")
    assert page is not None
    values = yaml.safe_load(BASE.read_text())
    for key, changed in yaml.safe_load(getattr(page, part)).items():
        values[key] = {name: value for name, value in {**values[key], **changed}.items() if value is not None}
    spec = tmp_path / "spec.yaml"
    spec.write_text(yaml.safe_dump(values, sort_keys=False))
    if refused:
        assert refusals(spec, "cloudformation", force=True) == [("HB540", "deployment.ab_test")]
    else:
        assert compile_spec(spec, "cloudformation", force=True)
