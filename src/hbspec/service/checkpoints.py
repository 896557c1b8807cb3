"""What lies where a job keeps its checkpoints: whether there is one to continue from, and whether the bucket exists."""

from __future__ import annotations

import re

from hbspec.service.client import REFUSED, Clients, ServiceError, asking

NO_BUCKET = "NoSuchBucket"
CHECKPOINT = re.compile(r"checkpoint-(\d+)/")
"""The folder of a checkpoint, as transformers names it."""


def listing(uri: str) -> dict[str, str]:
    """The parameters of ListObjectsV2 for what lies directly in a folder of S3."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Prefix": prefix, "Delimiter": "/"}


def newest_checkpoint(clients: Clients, uri: str) -> int | None:
    """The update of the newest checkpoint in a folder of S3; None without one.

    It may be damaged: only the script tells, which then continues from an older one.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html

    Args:
        clients: the services of the job's region.
        uri: the folder, with its final slash.

    Raises:
        ServiceError: the bucket does not exist, or the question was not answered.
    """
    asked = listing(uri)
    found = []
    try:
        with asking("ListObjectsV2"):
            for page in clients.s3.get_paginator("list_objects_v2").paginate(**asked):
                names = (folder["Prefix"].removeprefix(asked["Prefix"]) for folder in page.get("CommonPrefixes", ()))
                found += [int(match[1]) for name in names if (match := CHECKPOINT.fullmatch(name))]
    except ServiceError as refused:
        if refused.code != NO_BUCKET:
            raise
        message = f"the bucket of the checkpoints, {asked['Bucket']}, does not exist"
        raise ServiceError(message, "create it, or name another one in the spec", NO_BUCKET) from refused
    return max(found, default=None)


def continues_from(clients: Clients, uri: str) -> str:
    """What the next attempt continues from, in words.

    Raises:
        ServiceError: the bucket does not exist, or the question was not answered.
    """
    try:
        newest = newest_checkpoint(clients, uri)
    except ServiceError as refused:
        if refused.code not in REFUSED:
            raise
        return f"continues from its checkpoints, if there are any: you may not list {uri}"
    if newest is None:
        return f"begins at the first update, since no checkpoint lies in {uri}"
    return f"continues from checkpoint-{newest}, or an older one if that is damaged, in {uri}"
