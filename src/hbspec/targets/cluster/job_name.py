"""The name of a job outside SageMaker, with a digest of what it learns, and so the name of its folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hbspec.analysis import Analysis
from hbspec.plan.shipped_script import WATCH
from hbspec.plan.training_job import author_name
from hbspec.targets.aws.identity import digest_of
from hbspec.targets.job.workload import Workload

LONGEST = 40
"""Of the author's part, in characters: with a digest, and `-node-0-0` of Kubernetes, it stays below the 63 of a label.
https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names"""


def job_name(analysis: Analysis, work: Workload) -> str:
    """A name of small letters, digits and hyphens that begins with a letter: the author's, and a digest.

    The digest is of what runs: source, command line, processes and hyperparameters, without the bounds of `monitoring`.
    So a job that is started again finds its checkpoints, and no other job does.
    """
    call = work.call
    runs = {
        "script": call.script,
        "arguments": call.arguments,
        "environment": dict(call.environment),
        "processes": [call.instances, call.processes],
        "hyperparameters": {name: text for name, text in work.hyperparameters.items() if not name.startswith(WATCH)},
    }
    return f"{_label(analysis)}-{digest_of(runs, work.source, None)}"


def framework_name(analysis: Analysis, config: Mapping[str, Any]) -> str:
    """The same of a job that another framework's script runs: the digest is of its configuration."""
    return f"{_label(analysis)}-{digest_of(config, (), None)}"


def _label(analysis: Analysis) -> str:
    own = re.sub(r"[^a-z0-9]+", "-", author_name(analysis.spec).lower()).strip("-")[:LONGEST].rstrip("-")
    return own if own[:1].isalpha() else f"job-{own}".rstrip("-")
