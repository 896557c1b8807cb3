"""`model.source` names an archive, and not a folder of files.

Why: The job is given the files below the prefix as they are, and nothing unpacks them: the script then finds an archive
where it looks for `config.json`, after the instance was rented and the whole archive was downloaded. An unpacked copy
of a model's repository also downloads faster, since SageMaker reads several objects at once.

Example:

    model: {source: "s3://bucket/llama/model.tar.gz"}

Instead:

    model: {source: "s3://bucket/llama/"}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
    https://huggingface.co/docs/huggingface_hub/guides/cli#hf-download
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
ARCHIVES = (".tar.gz", ".tgz", ".tar", ".zip", ".tar.zst", ".tar.bz2", ".tar.xz", ".7z")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find a source whose last part is the name of an archive; a prefix may end with a slash all the same."""
    source = (analysis.spec.model.source or "").rstrip("/").lower()
    if source.endswith(ARCHIVES):
        name = (analysis.spec.model.source or "").rstrip("/").rpartition("/")[2]
        yield RULE.at(
            ("model", "source"),
            f"model.source names an archive, {name}, and the job needs config.json and the weights as files",
            "unpack it into a folder of your bucket, and name that folder",
        )
