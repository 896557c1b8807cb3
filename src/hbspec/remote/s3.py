"""Objects of S3, read by boto3: s3fs needs an older botocore than this project's other calls.

An object is read by one request from its beginning to its end, and a Parquet file by one request for each piece. All
requests name the version that was listed, so that an object that is replaced meanwhile is noticed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, BinaryIO

from hbspec.remote.failure import AGAIN, INSTALL, RemoteError
from hbspec.remote.stream import streaming
from hbspec.remote.urls import Listed
from hbspec.service.client import Clients, ServiceError, asking

ANY_REGION = "us-east-1"
"""Asked where no region is configured: S3 says in which one a bucket is, and botocore asks there."""
BUCKET = re.compile(r"[A-Za-z0-9._-]{1,255}")
SAID = {
    "NoSuchBucket": ("the bucket does not exist", "correct its name"),
    "NoSuchKey": ("no object has this key", "correct it, or end a prefix in /"),
    "PreconditionFailed": ("the object was replaced while it was read", AGAIN),
}
"""What the service's codes mean for one who reads."""


@dataclass(frozen=True, slots=True)
class S3Object:
    """An object, in the version that was listed.

    Attributes:
        url: `s3://BUCKET/KEY`.
        size: in bytes.
        version: its entity tag.
    """

    url: str
    size: int
    version: str

    def open(self, *, anywhere: bool = False) -> AbstractContextManager[BinaryIO]:
        """As `ByteSource` has it."""
        return self._open(anywhere)

    @contextmanager
    def _open(self, anywhere: bool) -> Iterator[BinaryIO]:
        body = _Body(self, anywhere)
        try:
            with streaming(self.url, self.size, body) as stream:
                yield stream
        finally:
            body.close()


class _Body:
    """The answer to a request for an object, or for a piece of it."""

    def __init__(self, thing: S3Object, anywhere: bool) -> None:
        self._thing, self._anywhere = thing, anywhere
        self._body: Any = None
        self._at = 0

    def __call__(self, at: int, size: int) -> bytes:
        """As `Fetch` has it."""
        url = self._thing.url
        with _asked(url, "GetObject"):
            if self._body is None or at != self._at:
                self.close()
                last = (at + size if self._anywhere else self._thing.size) - 1
                self._body, self._at = _get(url, Range=f"bytes={at}-{last}", IfMatch=self._thing.version)["Body"], at
            some: bytes = self._body.read(size)
        self._at += len(some)
        if self._anywhere:
            self.close()
        return some

    def close(self) -> None:
        """Leave what was not read."""
        if self._body is not None:
            self._body.close()
            self._body = None


def listed(url: str) -> Iterator[Listed]:
    """The object at a URL, or all below a prefix that ends in `/`.

    Raises:
        RemoteError: there is none, or it cannot be asked for.
    """
    bucket, prefix = _parts(url)
    if not url.endswith("/"):
        with _asked(url, "GetObject"):
            answer = _get(url)  # HeadObject does not say why it refuses
            answer["Body"].close()
        size, version = answer["ContentLength"], answer["ETag"]
        yield Listed(url, prefix.rpartition("/")[2], size, S3Object(url, size, version))
        return
    with _asked(url, "ListObjectsV2"):
        for page in _client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents", ()):
                one, size = f"s3://{bucket}/{entry['Key']}", entry["Size"]
                yield Listed(one, entry["Key"].removeprefix(prefix), size, S3Object(one, size, entry["ETag"]))


def _parts(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    if not BUCKET.fullmatch(bucket) or not (key or url.endswith("/")):
        raise RemoteError(url, "does not name an object", "write s3://BUCKET/KEY, or s3://BUCKET/PREFIX/")
    return bucket, key


def _get(url: str, **settings: str) -> Any:
    bucket, key = _parts(url)
    return _client().get_object(Bucket=bucket, Key=key, **settings)


@cache
def _client() -> Any:
    import boto3

    return Clients(boto3.session.Session().region_name or ANY_REGION).s3


@contextmanager
def _asked(url: str, question: str) -> Iterator[None]:
    try:
        with asking(question):
            yield
    except ImportError:
        raise RemoteError(url, *INSTALL) from None
    except ServiceError as refusal:
        message, action = SAID.get(refusal.code, (refusal.message, refusal.action))
        raise RemoteError(url, message, action) from None
