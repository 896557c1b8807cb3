"""The data are a file that the training script does not read.

Why: The shipped script reads files that end in `.jsonl`, `.json`, `.csv` (also with `.gz` or `.zst`) or `.parquet`.
Others, such as Arrow, a spreadsheet or an archive that nobody unpacks, are left out: the instance is rented, the file
is downloaded, and the job ends with "holds no file". A slash after the name of a file makes it a folder that does not
exist.

Example:

    data: {train: {uri: "s3://bucket/train/conversations.arrow"}}

Instead:

    data: {train: {uri: "s3://bucket/train/conversations.jsonl"}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
    https://jsonlines.org/
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Route, Severity, route_text
from hbspec.plan.shipped_script import SHOWN_SUFFIXES, SUFFIXES
from hbspec.plan.training_job import IN_S3
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
OTHERS = (
    *(".json", ".csv", ".tsv", ".parquet", ".arrow", ".feather", ".txt", ".md", ".yaml", ".yml", ".xml", ".xlsx"),
    *(".pkl", ".pickle", ".pt", ".bin", ".npy", ".db", ".sqlite", ".orc", ".avro", ".tfrecord"),
    *(".tar.gz", ".tgz", ".tar", ".zip", ".7z", ".rar", ".gz", ".zst", ".bz2", ".xz", ".tar.zst"),
)
"""Suffixes of files that people keep data in; a last part with any other may be a folder's name."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Judge the last part of the data's URIs; your own script may read any file."""
    spec = analysis.spec
    if not spec.shipped or spec.instance.type is None:
        return
    for name in ("train", "validation"):
        split = getattr(spec.data, name)
        if split is not None and split.uri is not None and split.uri.startswith(IN_S3):
            yield from _judge(("data", name, "uri"), split.uri)


def _judge(route: Route, uri: str) -> Iterator[Finding]:
    last = uri.removeprefix(IN_S3).rstrip("/").partition("/")[2].rpartition("/")[2]
    lowered = last.lower()
    if uri.endswith("/"):
        if lowered.endswith(SUFFIXES):
            said = f"{route_text(route)} ends with a slash after {last}, which makes a folder of a file"
            action = "delete the slash, or name the folder that holds the file"
            yield RULE.at(route, said, action, severity=Severity.WARNING, confidence=Confidence.LIKELY)
    elif lowered.endswith(OTHERS) and not lowered.endswith(SUFFIXES):
        yield RULE.at(
            route,
            f"{route_text(route)} names {last}, and the training script reads {SHOWN_SUFFIXES} only",
            "write the data as .jsonl, one example a line",
        )
