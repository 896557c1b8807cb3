"""What makes a training job this one and no other: a digest of its request and of the source that it runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from hashlib import sha256
from typing import Any

from hbspec.plan.training_job import DIGEST_LENGTH
from hbspec.targets.lowering.artifact import Artifact

LIMITS = (
    ("StoppingCondition",),
    ("EnableManagedSpotTraining",),
    ("ResourceConfig", "KeepAlivePeriodInSeconds"),
    ("Tags",),
)
"""Members that do not change what is trained: how long it may take, who pays less for waiting, how long the instance
is kept, what it is booked under. A job that was stopped goes on under other limits, so they are no part of it."""


def digest(request: Mapping[str, Any], source: Sequence[Artifact]) -> str:
    """Hexadecimal digits that two jobs share if they ask for the same and run the same files.

    Left out: `LIMITS`, and what lies behind an S3 address, which is not read.

    Args:
        request: the body of CreateTrainingJob with the author's own name and prefixes, of which the job's are made.
        source: the files that are uploaded.
    """
    asked: dict[str, Any] = deepcopy(dict(request))
    for *path, member in LIMITS:
        section = asked
        for name in path:
            section = section[name]
        section.pop(member, None)
    files = {file.path: file.digest for file in source}
    return sha256(json.dumps([asked, files], sort_keys=True).encode()).hexdigest()[:DIGEST_LENGTH]
