"""The tag by which a deployment knows what it has made.

A name does not prove it: a resource of the same name without the tag is somebody else's. `deploy.sh` refuses to use
it, and `teardown.sh` leaves it alone.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTags.html
"""

from __future__ import annotations

from collections.abc import Mapping

OWNER = "hbspec:deployment"
"""Key of the tag on everything that a deployment makes; its value is the deployment's name."""
BEFORE = "hbspec:before"
"""Key of the tag on a configuration with which a test has joined an endpoint: the configuration without the test."""


def tags_of(deployment: str, tags: Mapping[str, str]) -> list[dict[str, str]]:
    """The author's tags, and the deployment's."""
    return [{"Key": key, "Value": value} for key, value in {**tags, OWNER: deployment}.items()]
