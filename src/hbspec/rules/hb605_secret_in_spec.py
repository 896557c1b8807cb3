"""The spec contains what looks like a credential.

Why: Specs are committed and shared, and hyperparameters and environment variables are visible to everybody who may
describe the job. A token that was ever in a repository must be replaced. What looks like one only by its name can be
allowed by a comment on its line; the published form of a credential cannot.

Example:

    sagemaker: {environment: {HF_TOKEN: hf_abcdefghijklmnopqrstuvwx}}

Instead:

    sagemaker: {environment: {}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html
    https://github.com/philschmid/sagemaker-huggingface-llama-2-samples/issues/6
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity, route_text
from hbspec.rules.rule import Rule
from hbspec.showing.secrets import has_published_form, looks_secret

RULE = Rule(__name__, Severity.ERROR, Confidence.LIKELY)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for texts that look secret by themselves or by their key; the text itself is never repeated."""
    for route, text in analysis.document.spellings.items():
        name = next((part for part in reversed(route) if isinstance(part, str)), "")
        if looks_secret(f"{name}: {text}"):
            yield RULE.at(
                route,
                f"{route_text(route)} contains what looks like a credential",
                "replace the credential, and let the job read the new one from AWS Secrets Manager",
                confidence=Confidence.CERTAIN if has_published_form(text) else None,
            )
