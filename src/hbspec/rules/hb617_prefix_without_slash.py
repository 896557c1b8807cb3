"""The URI of the data is a prefix that does not end with a slash.

Why: SageMaker reads every object whose key begins with a channel's URI. `s3://bucket/train` reads
`s3://bucket/train-other/` and `s3://bucket/train_old.jsonl` too, and nothing says so. With a slash only the folder is
read. A URI whose last part has the suffix of a file names one object.

Example:

    data: {train: {uri: "s3://bucket/train"}}

Instead:

    data: {train: {uri: "s3://bucket/train/"}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity, route_text
from hbspec.plan.training_job import folder, read_prefixes, written_prefixes
from hbspec.rules.causes import Beside, same_route
from hbspec.rules.hb604_not_an_s3_uri import JOBS_OWN
from hbspec.rules.rule import Rule

NAMES_OBJECT = r".*[.][A-Za-z][A-Za-z0-9]{0,9}"
"""A last part with a suffix, such as `train.jsonl.gz`; `v1.2` has none."""
BUCKET = r"^s3://(?:arn:[^/\s]+:accesspoint/)?[^/]+/?"
"""It ends where its name ends; an access point stands for one."""

RULE = Rule(__name__, Severity.WARNING, beside=(Beside("HB620", same_route),))


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for keys of a training job's data; where the job writes below such a key, HB615 says so."""
    if analysis.spec.instance.type is None:
        return
    written = written_prefixes(analysis.spec).values()
    for route, uri in read_prefixes(analysis.spec).items():
        if not re.fullmatch(JOBS_OWN, uri) or any(prefix.startswith(uri) for prefix in written):
            continue
        last = re.sub(BUCKET, "", uri).rpartition("/")[2]
        if last and not re.fullmatch(NAMES_OBJECT, last):
            yield RULE.at(
                route,
                f"{route_text(route)} reads every key that begins with {uri}, such as {uri}-other/",
                f"end it with a slash: {folder(uri)}",
                fixes=(Fix("end it with a slash", route, folder(uri)),),
            )
