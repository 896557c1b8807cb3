"""Names of S3 buckets: those that S3 allows, and why it refuses others.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
"""

from __future__ import annotations

import re

HOME_OF_OLD_BUCKETS = "us-east-1"
CONVENTION = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
OLD = r"[A-Za-z0-9._-]{3,255}"
ADDRESS = r"[0-9]+(?:\.[0-9]+){3}"
MAX_KEY_BYTES = 1024
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""
EXPRESS = "--x-s3"
"""End of the name of a directory bucket (S3 Express One Zone).
https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-naming-rules.html"""


def why_refused(name: str) -> str:
    """Why S3 refuses a bucket's name, in words that follow it; empty if it does not.

    >>> why_refused("ab"), why_refused("bots")
    ('which has 2 characters; S3 allows 3 to 63', '')
    """
    if re.fullmatch(CONVENTION, name):
        wrong = ".." in name or re.fullmatch(ADDRESS, name) is not None
        return "which S3 does not allow: it is an IP address or has two dots in a row" if wrong else ""
    refused = sorted(set(re.findall(r"[^a-z0-9.-]", name)))
    if refused:
        capitals = all(one.isupper() for one in refused)
        shown = "capital letters" if capitals else ", ".join(map(repr, refused[:5]))
        return f"which contains {shown}; S3 allows lower-case letters, digits, dots and hyphens"
    if not 3 <= len(name) <= 63:
        return f"which has {len(name)} characters; S3 allows 3 to 63"
    return "which does not begin and end with a letter or a digit"


def may_be_old(name: str, region: str | None) -> bool:
    """Whether a name that S3 refuses today may be that of a bucket made before March 2018, all in one region."""
    return (
        region == HOME_OF_OLD_BUCKETS and re.fullmatch(CONVENTION, name) is None and re.fullmatch(OLD, name) is not None
    )
