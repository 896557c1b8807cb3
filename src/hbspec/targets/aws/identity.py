"""The identity of a training job: a digest of its request, its region and its source files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from hashlib import sha256
from typing import Any

from hbspec.plan.shipped_script import WATCH
from hbspec.plan.training_job import DIGEST_LENGTH
from hbspec.targets.lowering.artifact import Artifact

LIMITS = (
    ("StoppingCondition",),
    ("EnableManagedSpotTraining",),
    ("ResourceConfig", "KeepAlivePeriodInSeconds"),
    ("RetryStrategy",),
    ("ProfilerConfig",),
    ("Tags",),
)
"""Members that do not affect the trained model: time limits, spot training, the warm pool, retries, the profiler and
tags. A stopped job may continue under others, so they are not part of its identity. Neither are the hyperparameters of
`WATCH`, nor how a channel is read."""


def digest(request: Mapping[str, Any], source: Sequence[Artifact], region: str | None) -> str:
    """Hexadecimal digits that are equal for two jobs with the same request, source files and region.

    Left out: `LIMITS`, and the content behind S3 URIs, which is not read.

    Args:
        request: the body of CreateTrainingJob with the author's name and prefixes, before the digest is added.
        source: the files to upload.
        region: where the request is sent, which it does not say itself: names are unique in a region only, and a job
            in another one would write into the same prefixes.
    """
    asked: dict[str, Any] = deepcopy(dict(request))
    for *path, member in LIMITS:
        section = asked
        for name in path:
            section = section[name]
        section.pop(member, None)
    for channel in asked.get("InputDataConfig", ()):
        channel.pop("InputMode", None)
    named = asked.get("HyperParameters", {})
    asked["HyperParameters"] = {name: value for name, value in named.items() if not name.startswith(WATCH)}
    return digest_of(asked, source, region)


def digest_of(request: Mapping[str, Any], source: Sequence[Artifact], region: str | None) -> str:
    """Hexadecimal digits that are equal for the same request, source files and region."""
    files = {file.path: file.digest for file in source}
    return sha256(json.dumps([request, files, region], sort_keys=True).encode()).hexdigest()[:DIGEST_LENGTH]
