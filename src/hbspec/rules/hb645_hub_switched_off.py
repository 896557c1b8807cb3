"""The Hub is switched off, and the model comes from the Hub.

Why: With `HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE` only the local cache is read. AWS's training image has an empty
cache: the instance is rented, and the job ends with "Cannot reach https://huggingface.co: offline mode is enabled" when
the script loads the tokenizer.

Example:

    sagemaker: {environment: {HF_HUB_OFFLINE: "1"}}

Instead:

    model: {source: "s3://bucket/deepseek-r1-distill-qwen-32b/"}
    sagemaker: {environment: {HF_HUB_OFFLINE: "1"}}

References:

    https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
    https://github.com/huggingface/optimum-neuron/issues/535
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
SWITCHES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
ON = frozenset({"1", "on", "yes", "true"})
CACHES = ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "TRANSFORMERS_CACHE")
"""Variables that may point at a channel with the files."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for jobs in AWS's image; your own image may hold the files, and your own script may bring them."""
    spec = analysis.spec
    account = spec.sagemaker
    if account is None or account.image is not None or spec.instance.type is None:
        return
    if spec.model.id is None or spec.model.source is not None or any(name in account.environment for name in CACHES):
        return
    name = next((one for one in SWITCHES if account.environment.get(one, "").lower() in ON), None)
    if name is not None:
        own = not spec.shipped
        yield RULE.at(
            ("sagemaker", "environment", name),
            f"{name} {account.environment[name]} switches the Hub off, and {spec.model.id} is read from it",
            f"delete {name}, or name a copy of the model in model.source",
            severity=Severity.WARNING if own else Severity.ERROR,
            confidence=Confidence.LIKELY if own else Confidence.CERTAIN,
        )
