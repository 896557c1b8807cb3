"""The oldest versions of libraries with which models, options, other libraries and GPUs work."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from hbspec.catalog.rows import rows


class VersionNeed(NamedTuple):
    """A row of `versions.csv`: something, and the version of a package that it needs.

    Attributes:
        kind: "family" (a model type), "option" (of a spec), "package", or "gpu" (a major compute capability).
        name: of the family, option or package; the number of a capability.
        since: for a package, its first version with this need; "" elsewhere.
        package: what is needed.
        at_least: its first version that works. Where a version in between was not read, the earliest that may work.
        strength: "always" where an older one stops any job, "install" where pip refuses it or the model comes with code
            of its own, "declared" where it is only said to be needed.
        source: where it was read.
    """

    kind: str
    name: str
    since: str
    package: str
    at_least: str
    strength: str
    source: str


@cache
def version_needs() -> tuple[VersionNeed, ...]:
    """Every row, in the order of the file: the rows of a package with one need by ascending version."""
    return tuple(VersionNeed(**row) for row in rows("versions.csv"))
