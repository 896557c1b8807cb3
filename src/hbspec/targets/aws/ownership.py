"""The tag by which a deployment knows what it has made.

A name does not prove it: a resource of the same name without the tag is somebody else's. `deploy.sh` refuses to use
it, and `teardown.sh` leaves it alone.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTags.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.catalog.tags import OF_HBSPEC
from hbspec.targets.aws.operations import OPERATIONS, Bodies

OWNER = f"{OF_HBSPEC}deployment"
"""Key of the tag on everything that a deployment makes; its value is the deployment's name."""
JOB = f"{OF_HBSPEC}job"
"""Key of the tag on every attempt at a training job; its value is the job's name, so that a bill shows all together."""
BEFORE = f"{OF_HBSPEC}before"
"""Key of the tag on a configuration with which a test has joined an endpoint: the configuration without the test."""

MARKED = ("CreateModel", "CreateEndpointConfig", "CreateEndpoint", "CreateInferenceComponent", "PutMetricAlarm")


def tags_of(tags: Mapping[str, str]) -> dict[str, Any]:
    """The member `Tags` of a request; empty without tags."""
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]} if tags else {}


def marked(bodies: Bodies, deployment: str) -> Bodies:
    """The bodies with the deployment's tag on everything that takes tags when it is made.

    Autoscaling has none: it belongs to a variant, and goes with it.
    """
    mine = {"Key": OWNER, "Value": deployment}
    return {
        name: body | {"Tags": [*body.get("Tags", ()), mine]} if OPERATIONS[name] in MARKED else body
        for name, body in bodies.items()
    }
