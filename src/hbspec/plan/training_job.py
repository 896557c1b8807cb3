"""What a training job of SageMaker is called, what it reads and where it writes.

A job's name is the author's, a digest of what is run, and from the second attempt on its number: `bot-0a1b2c3d4e5f`,
`bot-0a1b2c3d4e5f-2`. Below each prefix that the author names, a job writes into a folder of that name only, so that
two jobs never share source or checkpoints.
"""

from __future__ import annotations

from hbspec.catalog.limits import MAX_TRAINING_JOB_NAME_LENGTH
from hbspec.diagnostics import Route
from hbspec.spec import Spec

DIGEST_LENGTH = 12
"""Hexadecimal digits: 48 bits, so that among a million jobs of one name two are alike with a chance of 1 in 560."""

LAST_ATTEMPT = 999

ADDED_LENGTH = len("-") + DIGEST_LENGTH + len(f"-{LAST_ATTEMPT}")
"""Characters that a training job's name has beyond the author's."""

LONGEST_NAME = MAX_TRAINING_JOB_NAME_LENGTH - ADDED_LENGTH
"""Characters of the author's name."""


def author_name(spec: Spec) -> str:
    """The name that the digest is added to."""
    return (spec.sagemaker and spec.sagemaker.job_name) or spec.name


def read_prefixes(spec: Spec) -> dict[Route, str]:
    """Key to prefix of the data. SageMaker reads every object whose key begins with it (`S3Prefix`)."""
    splits = {"train": spec.data.train, "validation": spec.data.validation}
    return {("data", name, "uri"): split.uri for name, split in splits.items() if split and split.uri}


def written_prefixes(spec: Spec) -> dict[Route, str]:
    """Key to folder of everything that the job writes or uploads; what is not named lies below the output."""
    section = spec.sagemaker
    if section is None:
        return {}
    named = {"output": section.output, "checkpoints": section.checkpoints, "code": section.code}
    return {("sagemaker", name): folder(uri) for name, uri in named.items() if uri}


def folder(uri: str) -> str:
    """An S3 address that ends in a slash. Nothing else is tidied: S3 takes `//`, `..` and case as they are."""
    return uri if uri.endswith("/") else f"{uri}/"
