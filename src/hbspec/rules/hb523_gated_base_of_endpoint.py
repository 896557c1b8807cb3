"""The endpoint loads a gated model from the Hub, and has no token.

Why: Adapters are served on their base model, which the engine loads from the Hub when the endpoint starts. CreateModel
has no way to hand a secret to a container, and a token in its environment can be read by everyone who may describe the
model. So the Hub answers "401 Client Error", and the endpoint fails after the instance was started.

Example:

    model: {id: meta-llama/Llama-3.1-8B-Instruct}
    deployment: {adapters: separate}

Instead:

    model: {id: meta-llama/Llama-3.1-8B-Instruct, source: "s3://bucket/llama-3.1-8b-instruct/"}
    deployment: {adapters: separate}

References:

    https://huggingface.co/docs/hub/models-gated
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AdditionalModelDataSource.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find gated models of the catalog that an endpoint loads from the Hub; the author's own image may hold a token."""
    spec = analysis.spec
    if spec.deployment is None or spec.deployment.instance.type is None:
        return
    if spec.sagemaker is not None and spec.sagemaker.serving_image:
        return
    weights = analysis.serving_plan.weights
    row = analysis.catalog.models.get(weights or "")
    if row is not None and row.gated:
        other = spec.deployment.model is not None
        yield RULE.at(
            ("deployment", "model") if other else ("model", "id"),
            f"{row.id} is gated, and the endpoint that loads it from the Hub has no token",
            "copy its repository to your bucket, and name the copy " + ("instead" if other else "as model.source"),
        )
