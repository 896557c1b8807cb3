"""Adapters that training goes on from, as far as a target's machines reach them."""

from __future__ import annotations

import re

from hbspec.plan.training_job import IN_S3
from hbspec.spec import Spec
from hbspec.targets.lowering.needs import Needs

GIVEN = ("launch", "slurm")
"""Targets whose start passes `--adapter-dir`, so that the adapters may lie anywhere."""
MOUNTED = ("hyperpod", "kubeflow", "skypilot")
"""Targets that mount the data and the model, and nothing else."""
HUB = r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*"
"""An id of the Hub (huggingface_hub, `validate_repo_id`)."""


def refuse_unreachable(needs: Needs, spec: Spec) -> None:
    """Refuse adapters that the shipped script would not find on the target's machines."""
    named = spec.model.adapter
    if named is None or not spec.shipped or needs.target in GIVEN or re.fullmatch(HUB, named):
        return
    stored = named.startswith(IN_S3)
    if not stored or needs.target in MOUNTED:
        where = "is in S3, which its machines do not read adapters from" if stored else "is not an id of the Hub"
        action = "upload the adapters to the Hub" + ("" if needs.target in MOUNTED else ", or to S3")
        needs.leave_out(True, ("model", "adapter"), f"{named} {where}", f"{action}, and name them there")
