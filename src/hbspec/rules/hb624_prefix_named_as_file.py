"""A prefix to which the job writes is named as a file.

Why: The job and its endpoint make a folder of their own below these prefixes: `s3://bucket/models/model.tar.gz` becomes
a folder, and the model is `model.tar.gz/JOB/output/model.tar.gz` inside it. What reads the expected file finds nothing.

Example:

    sagemaker: {output: "s3://bucket/models/model.tar.gz"}

Instead:

    sagemaker: {output: "s3://bucket/models/"}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_OutputDataConfig.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-prefixes.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity, route_text
from hbspec.plan.training_job import IN_S3, written_prefixes
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING)
FILES = (
    *(".tar.gz", ".tgz", ".tar", ".zip", ".gz", ".zst", ".json", ".jsonl", ".csv", ".parquet", ".txt", ".yaml"),
    *(".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".py", ".sh"),
)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for written prefixes whose last part has the suffix of a file."""
    for route, uri in written_prefixes(analysis.spec).items():
        place, _, last = uri.rstrip("/").rpartition("/")
        if place.startswith(IN_S3) and last.lower().endswith(FILES):
            yield RULE.at(
                route,
                f"{route_text(route)} is a prefix, and is named as a file, {last}",
                f"name the folder: {place}/",
                fixes=(Fix("name the folder", route, f"{place}/"),),
            )
