"""The scripts `deploy.sh` and `teardown.sh`.

Nothing is remembered between two runs: each asks the service what there is. The model and the configuration have a
digest of their content in their names, so that the same content is the same resource, and a run that was stopped
anywhere is continued by the next one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from shlex import quote

from hbspec.plan.training_job import DIGEST_LENGTH
from hbspec.targets.aws.asynchronous import asynchronous_invocation
from hbspec.targets.aws.endpoint import Endpoint, Joined
from hbspec.targets.aws.first_request import invocation
from hbspec.targets.aws.guarding import alarm_name
from hbspec.targets.aws.ownership import BEFORE, OWNER
from hbspec.targets.aws.scaling import Scaling, waiting_alarm
from hbspec.targets.aws.scripts import part
from hbspec.targets.aws.submission import region_option
from hbspec.targets.aws.trained_model import trained_model
from hbspec.targets.lowering.shell import HERE, SHA256, opening, owned

REQUESTED = "create_endpoint_config.json", "EndpointConfigName"
ALONE = {
    "deploy.sh": ("finding", "noting", "guests", "components", "deploying", "checking_alone"),
    "then": ("filling", "deploying_alone", "scaling"),
    "teardown.sh": (
        *("finding", "noting", "guests", "components", "tearing_down", "tearing_down_alone"),
        *("asking", "deleting_endpoint", "deleting"),
    ),
}
HOSTED = ALONE | {"then": ("filling_component", "deploying_alone", "deploying_component", "scaling")}
JOINED = {
    "deploy.sh": ("finding", "noting", "deploying", "checking_joined"),
    "then": ("filling", "deploying_joined", "scaling"),
    "teardown.sh": ("finding", "noting", "tearing_down", "tearing_down_joined", "asking", "leaving", "deleting"),
}
"""The parts of the scripts: for an endpoint of the deployment's own, one with an inference component, and a test."""
WITHIN = 1e-4
"""Difference of two weights that are the same: the service keeps 32 bits of them."""


def deploy(endpoint: Endpoint) -> list[str]:
    """The lines of `deploy.sh`."""
    alone = "creates or updates the endpoint, which is billed until it is deleted."
    joins = f"joins the live endpoint {endpoint.live}. Its variant is billed until it is taken out."
    about = f"{endpoint.deployment}: {joins if endpoint.joins else alone}"
    return [
        *opening(about, "# It can be repeated, also after it was stopped; teardown.sh deletes what it has made."),
        *_settings(endpoint),
        SHA256,
        *_parts(endpoint, "deploy.sh"),
        *_model(endpoint),
        *_parts(endpoint, "then"),
        "finished=1",
        *_first_request(endpoint),
    ]


def _first_request(endpoint: Endpoint) -> Sequence[str]:
    """The last lines of `deploy.sh`: how to ask. A shadow is asked by way of the baseline."""
    if endpoint.asynchronous:
        return asynchronous_invocation(endpoint.asynchronous, endpoint.live, endpoint.region)
    named = endpoint.joins is not None and not endpoint.joins.shadow
    component = endpoint.component.name if endpoint.component else ""
    return invocation(endpoint.live, endpoint.region, endpoint.variant if named else "", component)


def tear_down(endpoint: Endpoint) -> list[str]:
    """The lines of `teardown.sh`."""
    about = f"{endpoint.deployment}: lists what deploy.sh has made, asks, and deletes it."
    return [
        *opening(about, "# --list only lists; --yes does not ask. What lacks the deployment's tag is left alone."),
        *_settings(endpoint),
        *_parts(endpoint, "teardown.sh"),
    ]


def _parts(endpoint: Endpoint, script: str) -> Iterator[str]:
    for name in (JOINED if endpoint.joins else HOSTED if endpoint.component else ALONE)[script]:
        yield from part(name, endpoint.region)


def _settings(endpoint: Endpoint) -> Iterator[str]:
    """The folder, and the variables of all parts."""
    yield f"cd -- {HERE}"
    yield from owned(*REQUESTED, endpoint.deployment)
    values = {
        "deployment": endpoint.deployment,
        "endpoint": endpoint.live,
        "variant": endpoint.variant,
        "instance_type": endpoint.instance_type,
        "alarm": alarm_name(endpoint),
        "waiting": "" if endpoint.joins else waiting_alarm(endpoint.live, endpoint.variant),
        "scales": "yes" if endpoint.scaling else "",
        "from_zero": "yes" if endpoint.scaling and endpoint.scaling.from_zero else "",
        "at": region_option(endpoint.region),
        "tag": OWNER,
        "noting": BEFORE,
        "digits": str(DIGEST_LENGTH),
        **_scaled(endpoint),
        **(_of_test(endpoint.joins) if endpoint.joins else _of_component(endpoint)),
    }
    yield from (f"{name}={quote(value)}" for name, value in values.items())


def _scaled(endpoint: Endpoint) -> dict[str, str]:
    """The variables that name what is scaled, where anything is."""
    scaling = endpoint.scaling or Scaling(1, 1, 1)
    resource = scaling.resource(endpoint.live, endpoint.variant)
    return {"scaled_resource": resource["ResourceId"], "dimension": resource["ScalableDimension"]}


def _of_component(endpoint: Endpoint) -> dict[str, str]:
    """The variables of an inference component, which an earlier deployment may have, too."""
    return {"component": f"{endpoint.name}-{endpoint.variant}", "hosts": "yes" if endpoint.component else ""}


def _of_test(test: Joined) -> dict[str, str]:
    """The variables of the parts of a test; two are conditions of the AWS CLI's queries."""
    kept, new = (
        f"CurrentWeight > `{weight - WITHIN:.6f}` && CurrentWeight < `{weight + WITHIN:.6f}`" for weight in test.weights
    )
    return {
        "baseline": test.baseline,
        "weight": str(test.weights[0]),
        "shadow": "yes" if test.shadow else "",
        "kept_within": kept,
        "new_within": new,
    }


def _model(endpoint: Endpoint) -> Iterator[str]:
    """Lines that set `model` to the body of CreateModel, and `content` to what names the content behind its URIs."""
    if endpoint.training is None:
        yield "model=$(< create_model.json)"
        yield from _placed(endpoint)
        return
    literal = json.dumps(endpoint.model_data, ensure_ascii=False)
    yield from trained_model(endpoint.training, endpoint.model_data, named="${1:-}", usage="deploy.sh JOB", mark='"')
    yield f"compiled={quote(literal)}"
    yield "model=$(<create_model.json)"
    yield 'model=${model%%"$compiled"*}$trained${model#*"$compiled"}'
    yield "content=''"


def _placed(endpoint: Endpoint) -> Iterator[str]:
    """Lines that set `content` to the tags of what the author has put there: an archive, or the files of a folder."""
    bucket, _, key = endpoint.model_data.removeprefix("s3://").partition("/")
    if key.endswith("/"):
        listing, place = "list-objects-v2", f"--prefix {quote(key)} --query 'Contents[].[Key, ETag]'"
    else:
        listing, place = "head-object", f"--key {quote(key)} --query ETag"
    at = region_option(endpoint.region)
    yield f"content=$(aws s3api {listing}{at} --bucket {quote(bucket)} {place} --output text) || content=None"
    yield 'if [ "$content" = None ]; then'
    yield f"  echo {quote(f'{endpoint.model_data}: the model is not there; put it there first')} >&2"
    yield "  exit 1"
    yield "fi"
