"""A variable puts a cache of libraries into a folder that SageMaker uploads.

Why: Everything in `/opt/ml/model` and `/opt/ml/output` is packed and uploaded at the end of the job, and
`/opt/ml/checkpoints` while it runs. A cache of the Hub there adds the base model's weights to the archive, which is
then downloaded and unpacked at each start of an endpoint.

Example:

    sagemaker: {environment: {HF_HOME: /opt/ml/model/hf}}

Instead:

    sagemaker: {environment: {HF_HOME: /opt/ml/cache}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-output.html
    https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
"""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import normpath

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING)
CACHES = frozenset({
    *("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_DATASETS_CACHE", "TRANSFORMERS_CACHE", "HF_XET_CACHE"),
    *("XDG_CACHE_HOME", "TORCH_HOME", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR", "PIP_CACHE_DIR"),
    *("TMPDIR", "TEMP", "TMP"),
})  # fmt: skip
"""Variables that name a folder for caches or temporary files."""
UPLOADED = "/opt/ml/model", "/opt/ml/checkpoints", "/opt/ml/output"


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for caches in a folder that is uploaded, or below it."""
    account = analysis.spec.sagemaker
    for name, value in (account.environment if account else {}).items():
        folder = next((place for place in UPLOADED if f"{normpath(value)}/".startswith(f"{place}/")), None)
        if name in CACHES and folder is not None:
            yield RULE.at(
                ("sagemaker", "environment", name),
                f"{name} {value} is in {folder}, all of which SageMaker uploads",
                f"set {name} to another folder, such as /opt/ml/cache",
            )
