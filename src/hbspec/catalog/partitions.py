"""AWS partitions: a region, its roles and its images belong to exactly one."""

from __future__ import annotations

import re
from typing import NamedTuple


class Partition(NamedTuple):
    """One AWS partition: its name in ARNs, the pattern of its region names, and its domain."""

    name: str
    regions: str
    domain: str


# botocore 1.44.5, data/partitions.json: id, regionRegex, dnsSuffix; checked 2026-11-22.
PARTITIONS = (
    Partition("aws", r"^(us|eu|ap|sa|ca|me|af|il|mx)\-\w+\-\d+$", "amazonaws.com"),
    Partition("aws-cn", r"^cn\-\w+\-\d+$", "amazonaws.com.cn"),
    Partition("aws-eusc", r"^eusc\-(de)\-\w+\-\d+$", "amazonaws.eu"),
    Partition("aws-iso", r"^us\-iso\-\w+\-\d+$", "c2s.ic.gov"),
    Partition("aws-iso-b", r"^us\-isob\-\w+\-\d+$", "sc2s.sgov.gov"),
    Partition("aws-iso-e", r"^eu\-isoe\-\w+\-\d+$", "cloud.adc-e.uk"),
    Partition("aws-iso-f", r"^us\-isof\-\w+\-\d+$", "csp.hci.ic.gov"),
    Partition("aws-us-gov", r"^us\-gov\-\w+\-\d+$", "amazonaws.com"),
)


def partition(region: str) -> Partition | None:
    """The partition of a region, None if no partition's pattern matches.

    >>> [partition(region) and partition(region).name for region in ("ca-central-1", "us-gov-west-1", "moon-1")]
    ['aws', 'aws-us-gov', None]
    """
    return next((known for known in PARTITIONS if re.match(known.regions, region)), None)
