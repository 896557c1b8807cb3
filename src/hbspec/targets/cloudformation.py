"""Target `cloudformation`: the endpoint of the target `deployment` as one template, and the script that deploys it.

CloudFormation names the model and the configuration, so that an update replaces them: the endpoint then changes over to
the new ones by itself (blue/green), and back if they do not start, or if requests fail. The deploying person may set by
parameters what the spec knows only a default of: the model's place, the role, the endpoint's name, and the topic that
alarms are told to.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SageMaker.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from hbspec.analysis import Analysis
from hbspec.targets import deployment
from hbspec.targets.aws import guarding
from hbspec.targets.aws.dynamic_references import dynamic_references
from hbspec.targets.aws.endpoint import Endpoint, requests
from hbspec.targets.aws.first_request import FILE as REQUEST
from hbspec.targets.aws.refusals import accepted
from hbspec.targets.aws.stack import HeldStack, model_parameters, stack_script
from hbspec.targets.aws.template import COMPONENT_NAME, template
from hbspec.targets.aws.watching import alarms
from hbspec.targets.lowering.artifact import Artifact, json_artifact, script_artifact
from hbspec.targets.lowering.needs import LoweringError, refusal
from hbspec.targets.lowering.target import Target

TEMPLATE = "template.json"


class Stack(NamedTuple):
    """The endpoint that the stack holds."""

    endpoint: Endpoint


def lower(analysis: Analysis) -> Stack:
    """Choose the values of the template.

    Raises:
        LoweringError: the spec lacks a key that the endpoint needs, the engine would refuse its settings, or
            CloudFormation has no words for a part of it.
    """
    section = analysis.spec.deployment
    if section is not None and section.ab_test is not None:
        message = "a stack updates only endpoints that it has created, and the baseline's is not one of them"
        action = "compile the target deployment, or remove deployment.ab_test"
        raise LoweringError([refusal("HB540", ("deployment", "ab_test"), message, action)])
    endpoint = deployment.lower(analysis, "cloudformation")
    if endpoint.base is not None:
        other = section is not None and section.model is not None
        message = f"AWS::SageMaker::Model takes adapters, but not {endpoint.base} beside them"
        action = "compile the target deployment, or set deployment.adapters: merged"
        route = ("deployment", "model") if other else ("model", "source")
        raise LoweringError([refusal("HB540", route, message, action)])
    instead = "compile the target deployment"
    if replaced := dynamic_references(analysis.document.values, requests(endpoint), "deployment", instead):
        raise LoweringError(replaced)
    return Stack(endpoint)


def emit(stack: Stack) -> list[Artifact]:
    """Write the template, after validating the bodies that it is made of, the script and the first request.

    Raises:
        LoweringError: the service would reject a body.
    """
    endpoint = stack.endpoint
    sent = {**requests(endpoint), **guarding.requests(endpoint), **alarms(endpoint)}
    bodies = accepted(sent, endpoint.region)
    name = endpoint.name if endpoint.name[:1].isalpha() else f"endpoint-{endpoint.name}"
    held = HeldStack(name, endpoint.name, endpoint.region, TEMPLATE, "the endpoint", "is")
    script = stack_script(held, model_parameters(endpoint.training, endpoint.model_data))
    return [
        json_artifact(TEMPLATE, template(bodies, _first_request(endpoint))),
        json_artifact(REQUEST, dict(endpoint.first_request)),
        script_artifact("deploy.sh", script),
    ]


def _first_request(endpoint: Endpoint) -> str:
    """The command that asks, for `Fn::Sub`."""
    at, name = " --region ${AWS::Region}", "${Endpoint.EndpointName}"
    if endpoint.asynchronous:
        literal = replace(endpoint.asynchronous, output=endpoint.asynchronous.output.replace("${", "${!"))
        return " && ".join(literal.commands(name, at))
    component = f" --inference-component-name {COMPONENT_NAME['Fn::Sub']}" if endpoint.component else ""
    return (
        f"aws sagemaker-runtime invoke-endpoint{at} --endpoint-name {name}{component} "
        f"--content-type application/json --body fileb://{REQUEST} answer.json"
    )


TARGET = Target(
    "cloudformation",
    "one CloudFormation template of the endpoint, its autoscaling, alarms and dashboard",
    lower,
    emit,
    "deploy.sh",
    deploys=True,
)
