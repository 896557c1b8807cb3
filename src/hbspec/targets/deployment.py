"""Target `deployment`: the bodies of CreateModel, CreateEndpointConfig, CreateEndpoint and the autoscaling requests.

With `ab_test`, the model joins a live endpoint as a second variant, or as a shadow. The spec does not describe the
baseline: `deploy.sh` takes its variant from the live endpoint's configuration as it is, and changes its weight alone. A
variant's share of the traffic is its weight over the sum of weights.

The model is the output of the training job of the same spec. Which of its attempts completes is not known in advance,
so `create_model.json` names the model of the first attempt, and `deploy.sh` asks the service and replaces it by the
right one.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from hbspec.analysis import Analysis
from hbspec.plan.training_job import author_name, folder
from hbspec.spec.deployment import Deployment
from hbspec.targets import sagemaker
from hbspec.targets.aws import guarding
from hbspec.targets.aws.asynchronous import Asynchronous, asynchronous
from hbspec.targets.aws.component import Component
from hbspec.targets.aws.deploying import deploy, tear_down
from hbspec.targets.aws.endpoint import CANDIDATE, Endpoint, Joined, TrainingSource, requests
from hbspec.targets.aws.first_request import FILE as REQUEST
from hbspec.targets.aws.first_request import first_request
from hbspec.targets.aws.judged_environment import judged_environment
from hbspec.targets.aws.kept import kept
from hbspec.targets.aws.ownership import OWNER, marked
from hbspec.targets.aws.refusals import accepted
from hbspec.targets.aws.scaling import Scaling
from hbspec.targets.aws.serving_container import serving_container, start_up_seconds
from hbspec.targets.aws.trained_model import model_data
from hbspec.targets.aws.watching import late_seconds
from hbspec.targets.job.hyperparameters import WEIGHTS
from hbspec.targets.lowering.artifact import Artifact, json_artifact, script_artifact
from hbspec.targets.lowering.needs import LoweringError, Needs, refusal
from hbspec.targets.lowering.target import Target
from hbspec.targets.release.gate import EVALUATION, WITHOUT, released


def lower(analysis: Analysis, target: str = "deployment") -> Endpoint:
    """Choose the values of the requests; `target` is the name for messages.

    Raises:
        LoweringError: the spec lacks a key that a request needs, the engine would refuse its settings, or no evaluation
            lets the deployment out.
    """
    spec = analysis.spec
    account, section = spec.sagemaker, spec.deployment
    needs = Needs(target)
    needs.take(section, ("deployment",), None)
    role = needs.take(account.role if account else None, ("sagemaker", "role"), "")
    output = needs.take(account.output if account else None, ("sagemaker", "output"), "")
    instance_type = needs.take(section.instance.type, ("deployment", "instance", "type"), "") if section else ""
    needs.done()
    assert section is not None  # noqa: S101 - Needs has just checked it
    plan = analysis.serving_plan
    container = serving_container(spec, plan, needs)
    test = _test(analysis, needs)
    if plan.adapters != "merged":
        needs.take(plan.weights, ("model", "id"), "", WEIGHTS)
    needs.done()
    queue, component, scaling = _hosting(analysis, section, test)
    training, variables = _training(analysis, target), judged_environment(analysis, plan, container)
    return Endpoint(
        name=spec.name,
        role=role,
        image=container.uri,
        inference_ami=container.host,
        region=plan.region,
        model_data=model_data(spec, folder(output), training.job if training else author_name(spec)),
        base=plan.weights if plan.weights and plan.weights.startswith("s3://") else None,
        training=training,
        environment=variables,
        first_request=first_request(plan),
        instance_type=instance_type,
        instances=section.instance.count,
        startup_timeout=start_up_seconds(plan),
        late=late_seconds(analysis),
        joins=test,
        scaling=scaling,
        network=account.vpc if account else None,
        kept=kept(analysis),
        asynchronous=queue,
        component=component,
        tags={**_tags(account.tags if account else {}), **released(analysis)},
    )


def _hosting(
    analysis: Analysis, section: Deployment, test: Joined | None
) -> tuple[Asynchronous | None, Component | None, Scaling | None]:
    """The queue, or what hosts the model of an endpoint that answers at once and may have no instance; autoscaling."""
    plan, component = analysis.serving_plan, None
    queue = asynchronous(analysis, plan.concurrency)
    fewest, most = plan.scaling
    if fewest == 0 and queue is None and test is None:
        name = f"{analysis.spec.name}-{CANDIDATE}"
        component = Component(name, plan.tensor_parallel, section.instance.count, most)
    if section.autoscaling is None:
        return queue, component, None
    hosted = component.name if component else None
    return queue, component, Scaling(fewest, most, plan.concurrency, queue is not None, hosted)


def _tags(tags: Mapping[str, str]) -> Mapping[str, str]:
    for name in (EVALUATION, WITHOUT):
        if name in tags:
            message = f"{name} is the tag that says by what the deployment was let out"
            raise LoweringError([refusal("HB043", ("sagemaker", "tags"), message, "rename the tag, or remove it")])
    if OWNER in tags:
        message = f"{OWNER} is the tag by which deploy.sh knows what it has made"
        raise LoweringError([refusal("HB043", ("sagemaker", "tags"), message, "rename the tag, or remove it")])
    return tags


def _training(analysis: Analysis, target: str) -> TrainingSource | None:
    """The training job of the same spec; None if the spec describes its hardware instead of an instance type."""
    if analysis.spec.instance.type is None:
        return None
    job = sagemaker.lower(analysis, target)
    evaluated = analysis.release is not None and analysis.release.record is not None
    return TrainingSource(job.name, job.region, alone=evaluated)


def _test(analysis: Analysis, needs: Needs) -> Joined | None:
    """The A/B test; the baseline keeps what it has, which `deploy.sh` reads off the live endpoint."""
    section = analysis.spec.deployment
    test = section.ab_test if section else None
    if test is None:
        return None
    route = ("deployment", "ab_test")
    action = "add the name that requests to the baseline have as their model"
    needs.take(test.served_model_name, (*route, "served_model_name"), "", action)
    share = Decimal(str(test.candidate_weight))
    weights = (1.0 if test.shadow else float(1 - share), float(share))
    return Joined(test.endpoint or analysis.spec.name, test.baseline, weights, test.shadow)


def emit(endpoint: Endpoint) -> list[Artifact]:
    """Write the files, after validating each body against the service's API model.

    Raises:
        LoweringError: the service would reject a body.
    """
    sent = marked({**requests(endpoint), **guarding.requests(endpoint)}, endpoint.deployment)
    bodies = accepted(sent, endpoint.region)
    return [
        *(json_artifact(f"{name}.json", body) for name, body in bodies.items()),
        json_artifact(REQUEST, dict(endpoint.first_request)),
        script_artifact("deploy.sh", deploy(endpoint)),
        script_artifact("teardown.sh", tear_down(endpoint)),
    ]


TARGET = Target(
    "deployment",
    "the bodies of CreateModel, CreateEndpointConfig and CreateEndpoint",
    lower,
    emit,
    "deploy.sh",
    deploys=True,
)
