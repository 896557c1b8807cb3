"""The model is gated, and no token reaches the job.

Why: The Hub gives the files of a gated model only to accounts that have accepted its licence. A training job has no
account of its own: without a token in its environment the rented instance starts, pulls the image, and ends with
"401 Client Error" when the script loads the model. SageMaker hands the environment on as it is written: a reference to
a secret is resolved by CloudFormation alone, and a token in the spec is a secret that leaks (HB605).

Example:

    model: {id: meta-llama/Llama-3.1-8B-Instruct}
    deployment: null

Instead:

    model: {id: meta-llama/Llama-3.1-8B-Instruct}
    sagemaker: {secrets: {HF_TOKEN: "arn:aws:secretsmanager:us-east-1:111122223333:secret:hub-a1b2c3"}}
    deployment: null

References:

    https://huggingface.co/docs/hub/models-gated
    https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.causes import Beside
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING, beside=(Beside("HB523"),))
ROUTE = ("model", "id")

GIVEN = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HOME", "HF_HUB_OFFLINE", "HF_ENDPOINT")
"""Variables by which a job has a token, a cache with the files, or another hub (huggingface_hub)."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find gated models of the catalog in SageMaker jobs whose environment says nothing of the Hub.

    The author's own image may hold the weights, or a token; a copy in S3 needs none.
    """
    section, model = analysis.spec.sagemaker, analysis.catalog.models.get(analysis.spec.model.id or "")
    if section is None or section.image or analysis.spec.model.source or model is None or not model.gated:
        return
    if not any(name in {**section.environment, **section.secrets} for name in GIVEN):
        yield RULE.at(
            ROUTE,
            f"{model.id} is gated, and the job's environment has no HF_TOKEN",
            "accept its licence, and give sagemaker.secrets.HF_TOKEN the ARN of a secret that holds your token",
        )
