"""How a policy's patterns and prefixes match. Everything is matched in full and in its case."""

from __future__ import annotations

import re
from collections.abc import Iterable

IN_S3 = "s3://"
_UNCLEAR = re.compile(r"(?:^|/)\.{1,2}(?:/|$)|[\s\x00-\x1f\x7f?#]")
"""Parts of a key that programs resolve, cut or take for the end of a word, while S3 takes them literally."""


def matches(value: str, patterns: Iterable[str], *, within: str = "") -> bool:
    """Whether a value has one of the patterns; `within` are characters that `*` and `?` do not stand for.

    >>> matches("ml.g5.2xlarge", ["ml.g5.*"]), matches("ML.G5.2xlarge", ["ml.g5.*"])
    (True, False)
    >>> matches("a.b.com", ["*.com"], within=".")
    False
    """
    return any(re.fullmatch(_expression(pattern, within), value, re.DOTALL) for pattern in patterns)


def _expression(pattern: str, within: str) -> str:
    one = f"[^{re.escape(within)}]" if within else "."
    return "".join({"*": f"{one}*", "?": one}.get(sign) or re.escape(sign) for sign in pattern)


def under(uri: str, prefixes: Iterable[str]) -> bool:
    """Whether every object that an S3 URI stands for, taken as a prefix, lies below one of the prefixes' folders.

    >>> under("s3://acme/train/a.jsonl", ["s3://acme/train"]), under("s3://acme/training/", ["s3://acme/train"])
    (True, False)
    >>> under("s3://acme/train", ["s3://acme/train/"])
    False
    """
    if not uri.startswith(IN_S3) or _UNCLEAR.search(uri.removeprefix(IN_S3)):
        return False
    whole = f"{uri}/" if "/" not in uri.removeprefix(IN_S3) else uri
    return any(whole.startswith(prefix if prefix.endswith("/") else f"{prefix}/") for prefix in prefixes)


def registry(image: str) -> str:
    """The registry of an image, as container engines read it.

    >>> registry("acme/trainer:7"), registry("1.dkr.ecr.us-east-1.amazonaws.com/trainer")
    ('docker.io', '1.dkr.ecr.us-east-1.amazonaws.com')
    """
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"
