"""The name of what a spec trains, by which an evaluation's record and a deployment know that they mean the same."""

from __future__ import annotations

import json
from hashlib import sha256

from hbspec.analysis import Analysis
from hbspec.plan.training_job import DIGEST_LENGTH, author_name
from hbspec.targets import sagemaker
from hbspec.targets.lowering.needs import LoweringError

TRAINS = ("model", "data", "hyperparameters", "script", "software")
"""Sections that make the model, where no job at SageMaker has a digest of all."""


def trained_name(analysis: Analysis) -> str:
    """The name of the training job at SageMaker, which has a digest of its request and its source.

    Where the spec describes no such job, a digest of the sections that make the model, without the files that they
    name.
    """
    if analysis.spec.instance.type is not None:
        try:
            return sagemaker.lower(analysis).name
        except LoweringError:
            pass
    parts = {name: analysis.document.values.get(name) for name in TRAINS}
    said = sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:DIGEST_LENGTH]
    return f"{author_name(analysis.spec)}-{said}"
