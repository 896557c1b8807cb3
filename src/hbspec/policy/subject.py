"""What is judged of a job, whether a spec or a request says it: values with the routes that they are written at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from hbspec.diagnostics import Route
from hbspec.policy.read import Policy
from hbspec.units import Money

_IN_A_TEXT = re.compile(r"s3[a-z]{0,2}://[^\s\"',;|]*|arn:aws[a-z-]*:s3:[^\s\"',;|]*", re.IGNORECASE)


class Said(NamedTuple):
    """One value and its route; None where it is not said or cannot be told, with the reason in `why`."""

    route: Route
    value: str | None
    why: str = ""


class Counted(NamedTuple):
    """A number and its route; None where it is not said or is not a number."""

    route: Route
    number: float | None


class Bill(NamedTuple):
    """The most that something can cost, and the route at which that is decided.

    `most` is None where it is not known, with the reason in `how`.
    """

    route: Route
    most: Money | None
    how: str


@dataclass(frozen=True)
class Subject:
    """One job, and the endpoint that its spec describes.

    Attributes:
        types: every instance type that may be rented.
        counts: the most instances of the job and of the endpoint.
        not_spot: the route that keeps the job from managed spot training; None where it uses it.
        tags: the values of each tag's key.
        tags_route: the place of a tag that is missing.
        without_key: routes at which a key of AWS KMS is missing.
        without_vpc: routes at which a network is missing.
        read, written: S3 URIs, as prefixes.
        named: S3 URIs in texts that say neither.
        job_cost: the bill of the job, calculated where a line needs it.
        monthly_cost: the bill of the endpoint in 30 days; None without one.
    """

    regions: tuple[Said, ...]
    types: tuple[Said, ...]
    counts: tuple[Counted, ...]
    not_spot: Route | None
    runtime: Counted
    tags: Mapping[str, tuple[str, ...]]
    tags_route: Route
    without_key: tuple[Route, ...]
    without_vpc: tuple[Route, ...]
    models: tuple[Said, ...]
    licences: tuple[Said, ...]
    read: tuple[Said, ...]
    written: tuple[Said, ...]
    named: tuple[Said, ...]
    images: tuple[Said, ...]
    job_cost: Callable[[Policy], Bill]
    monthly_cost: Callable[[Policy], Bill] | None


def uris_in(route: Route, text: str) -> Iterator[Said]:
    """Every URI or ARN of S3 in a text, however it is spelled there."""
    for found in _IN_A_TEXT.finditer(text.replace("\\/", "/")):
        yield Said(route, found[0])
