"""The endpoint as a CloudFormation template, judged by cfn-lint: a validator that shares nothing with ours."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from cfnlint.runner import main as cfn_lint

from hbspec.api import compile_spec

ROOT = Path(__file__).parents[2]
ALONE = "deployment.ab_test=null"
"""Without a test, which makes no endpoint but joins one."""
TYPES = {
    "create_model.json": ("Model", "AWS::SageMaker::Model", None),
    "create_endpoint_config.json": ("Config", "AWS::SageMaker::EndpointConfig", "Model"),
    "create_endpoint.json": ("Endpoint", "AWS::SageMaker::Endpoint", "Config"),
    "register_scalable_target.json": ("Target", "AWS::ApplicationAutoScaling::ScalableTarget", "Endpoint"),
    "put_scaling_policy.json": ("Policy", "AWS::ApplicationAutoScaling::ScalingPolicy", "Target"),
}


def template(spec: Path, *more: str) -> dict[str, Any]:
    """The bodies' members under the same names, as CloudFormation's resources have them."""
    resources = {}
    for file in compile_spec(spec, "deployment", overrides=("evaluation=[]", *more), force=True):
        if file.path in TYPES:
            name, kind, after = TYPES[file.path]
            resources[name] = {"Type": kind, "Properties": json.loads(file.content)}
            if after:
                resources[name]["DependsOn"] = after
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def lint(content: dict[str, Any], folder: Path) -> tuple[int, list[str]]:
    """The exit code and the lines of cfn-lint, which runs in this process: it takes seconds to start."""
    file, out, err = folder / "template.json", StringIO(), StringIO()
    file.write_text(json.dumps(content))
    words = ["cfn-lint", "--regions", "ca-central-1", "--format", "parseable", "--", str(file)]
    given = mock.patch.object(sys, "argv", words)
    with given, redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        cfn_lint()
    assert err.getvalue() == ""
    return int(ended.value.code or 0), out.getvalue().splitlines()


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", ["heartbeat", "heartbeat-as-written"])
@pytest.mark.parametrize(("more", "resources"), [((ALONE,), 3), ((), 2)])
def test_cfn_lint_has_nothing_to_say(name: str, more: tuple[str, ...], resources: int, tmp_path: Path) -> None:
    content = template(ROOT / f"specs/{name}.yaml", *more)
    assert len(content["Resources"]) == resources
    assert lint(content, tmp_path) == (0, [])


def test_cfn_lint_has_nothing_to_say_about_autoscaling(tmp_path: Path) -> None:
    content = template(ROOT / "specs/heartbeat.yaml", ALONE, "deployment.autoscaling={min: 1, max: 3}")
    assert len(content["Resources"]) == 5
    assert lint(content, tmp_path) == (0, [])
    del content["Resources"]["Policy"]["Properties"]["PolicyName"]
    content["Resources"]["Target"]["Properties"]["ScalableDimension"] = "sagemaker:variant:Instances"
    code, said = lint(content, tmp_path)
    assert code != 0
    assert any("PolicyName" in line for line in said)
    assert any("sagemaker:variant:Instances" in line for line in said)


def test_cfn_lint_would_have_said_it(tmp_path: Path) -> None:
    content = template(ROOT / "specs/heartbeat.yaml")
    del content["Resources"]["Config"]["Properties"]["ProductionVariants"][0]["VariantName"]
    content["Resources"]["Model"]["Properties"]["PrimaryContainer"]["ImageUri"] = "x"
    code, said = lint(content, tmp_path)
    assert code != 0
    assert any("VariantName" in line for line in said)
    assert any("ImageUri" in line for line in said)
