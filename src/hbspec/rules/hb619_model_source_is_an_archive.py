"""`model.source` or `model.adapter` names an archive, and not a folder of files.

Why: The job is given the files below the prefix as they are, and nothing unpacks them: the script then finds an archive
where it looks for `config.json`, after the instance was rented and the whole archive was downloaded. An unpacked copy
of a model's repository also downloads faster, since SageMaker reads several objects at once. A job's adapters are in
its `model.tar.gz`, and unpacked in its checkpoints.

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

CONFIG, ADAPTERS = "config.json", "adapter_config.json"


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find a source whose last part is the name of an archive; a prefix may end with a slash all the same."""
    model = analysis.spec.model
    for key, given, needed in (("source", model.source, CONFIG), ("adapter", model.adapter, ADAPTERS)):
        source = (given or "").rstrip("/")
        if not source.lower().endswith(ARCHIVES):
            continue
        name = source.rpartition("/")[2]
        yield RULE.at(
            ("model", key),
            f"model.{key} names an archive, {name}, and the job needs {needed} and the weights as files",
            "unpack it into a folder of your bucket, and name that folder",
        )
