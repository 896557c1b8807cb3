"""The endpoint is in another region than the bucket that the model is written to.

Why: SageMaker loads a model only from a bucket in the region of the endpoint, and a training job writes to one in its
own. Where the two regions differ, CreateModel fails after the training was paid for; the model has to be copied first.

Example:

    deployment: {region: us-west-2}

Instead:

    deployment: {region: us-east-1}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)
ROUTE = ("deployment", "region")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the regions of the job and of the endpoint; the bucket may be replicated, which its name does not say."""
    section, job = analysis.spec.deployment, analysis.spec.instance
    if section is None or section.region is None or job.region in (None, section.region) or job.type is None:
        return
    for name, region in ((section.instance.type, section.region), (job.type, job.region)):
        row = analysis.catalog.instances.get(name or "")
        if row is not None and row.regions is not None and region not in row.regions:
            return  # HB507 and HB113 name regions that have the type
    yield RULE.at(
        ROUTE,
        f"the endpoint is in {section.region}, but the model is written to a bucket of {job.region}",
        f"set deployment.region: {job.region}, or copy the model to a bucket in {section.region} before it is deployed",
    )
