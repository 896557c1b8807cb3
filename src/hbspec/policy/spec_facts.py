"""What a policy judges of a spec.

A cost is the high end of the estimate. Unless the policy accepts a spec's own figures, the catalog's prices count, and
the spec's price, exchange rates and calibration do not: an author would otherwise set the cost. What the spec says of
its data is believed; a request is judged by its runtime limit instead (`request_facts.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from hbspec.analysis import Analysis
from hbspec.catalog.limits import DEFAULT_RUNTIME_SECONDS
from hbspec.diagnostics import NotKnownError, Route
from hbspec.estimators.serving.cost import charges
from hbspec.plan.training_job import IN_S3, evaluated_places, folder, read_prefixes, written_prefixes
from hbspec.policy.read import Policy
from hbspec.policy.subject import Bill, Counted, Said, Subject, uris_in
from hbspec.spec import Spec
from hbspec.targets.aws.images import training_image
from hbspec.units import Money

NOT_IN_CATALOG = "is not in the catalog, which has its licence"


def subject_of(analysis: Analysis) -> Subject:
    """What a policy judges of an analysed spec."""
    spec = analysis.spec
    account = spec.sagemaker
    job, served = spec.instance, spec.deployment
    where: Route = ("sagemaker",)
    return Subject(
        regions=tuple(_regions(spec)),
        types=tuple(_types(spec)),
        counts=tuple(_counts(spec)),
        not_spot=None if job.spot and job.max_wait else ("instance", "max_wait" if job.spot else "spot"),
        runtime=Counted(("instance", "max_runtime"), job.max_runtime or (job.type and DEFAULT_RUNTIME_SECONDS) or None),
        tags={key: (value,) for key, value in account.tags.items()} if account else {},
        tags_route=(*where, "tags"),
        without_key=() if account and account.kms_key else ((*where, "kms_key"),),
        without_vpc=() if account and account.vpc else ((*where, "vpc"),),
        models=tuple(_models(spec)),
        licences=tuple(_licences(analysis)),
        read=tuple(_read(spec)),
        written=tuple(_written(spec)),
        named=tuple(_named(spec)),
        images=tuple(_images(spec)),
        job_cost=partial(_job_cost, analysis),
        monthly_cost=partial(_monthly_cost, analysis) if served else None,
    )


def _regions(spec: Spec) -> Iterator[Said]:
    yield Said(("instance", "region"), spec.instance.region)
    if spec.deployment is not None and spec.deployment.region is not None:
        yield Said(("deployment", "region"), spec.deployment.region)


def _types(spec: Spec) -> Iterator[Said]:
    sections = [(("instance",), spec.instance.type, spec.instance.alternatives)]
    if spec.deployment is not None:
        rented = spec.deployment.instance
        sections.append((("deployment", "instance"), rented.type, rented.alternatives))  # type: ignore[arg-type]
    for route, name, alternatives in sections:
        yield Said((*route, "type"), name)
        for index, other in enumerate(alternatives):
            yield Said((*route, "alternatives", index), other)


def _counts(spec: Spec) -> Iterator[Counted]:
    yield Counted(("instance", "count"), spec.instance.count)
    served = spec.deployment
    if served is not None:
        yield Counted(("deployment", "instance", "count"), served.instance.count)
        if served.autoscaling is not None:
            yield Counted(("deployment", "autoscaling", "max"), served.autoscaling.max)


def _models(spec: Spec) -> Iterator[Said]:
    yield Said(("model", "id"), spec.model.id)
    served = spec.deployment.model if spec.deployment else None
    if served is not None and not served.startswith(IN_S3):
        yield Said(("deployment", "model"), served)


def _licences(analysis: Analysis) -> Iterator[Said]:
    """The licence that the catalog has of each model; what the spec says of it is not evidence."""
    for route, name, _ in _models(analysis.spec):
        model = analysis.catalog.models.get(name or "")
        yield Said(route, model.license if model else None, NOT_IN_CATALOG if name else "")


def _read(spec: Spec) -> Iterator[Said]:
    found = read_prefixes(spec) | evaluated_places(spec)
    yield from (Said(route, uri) for route, uri in found.items())
    if ("data", "train", "uri") not in found:
        yield Said(("data", "train", "uri"), None)
    served, account = spec.deployment, spec.sagemaker
    if served is not None and served.model is not None and served.model.startswith(IN_S3):
        yield Said(("deployment", "model"), folder(served.model))
    code = account and (account.code or account.output)
    if account and code:
        yield Said(("sagemaker", "code" if account.code else "output"), folder(code))


def _written(spec: Spec) -> Iterator[Said]:
    found = written_prefixes(spec)
    yield from (Said(route, uri) for route, uri in found.items())
    if ("sagemaker", "output") not in found:
        yield Said(("sagemaker", "output"), None)


def _named(spec: Spec) -> Iterator[Said]:
    for name, value in (spec.sagemaker.environment if spec.sagemaker else {}).items():
        yield from uris_in(("sagemaker", "environment", name), value)
    for name, own in (spec.script.hyperparameters if spec.script else {}).items():
        yield from uris_in(("script", "hyperparameters", name), str(own))


def _images(spec: Spec) -> Iterator[Said]:
    account, region = spec.sagemaker, spec.instance.region
    image = account.image if account else None
    if image is not None or spec.instance.type is not None:
        published = training_image(region) if region and image is None else None
        yield Said(("sagemaker", "image"), image or published)
    if account is not None and account.serving_image is not None:
        yield Said(("sagemaker", "serving_image"), account.serving_image)


def _job_cost(analysis: Analysis, policy: Policy) -> Bill:
    route: Route = ("instance", "type") if analysis.spec.instance.type else ("instance",)
    try:
        cost = _without_own_figures(analysis, policy).cost
    except NotKnownError as reason:
        return Bill(route, None, f"needs {reason}")
    return Bill(route, Money(cost.high, cost.currency), "the high end of the estimate")


def _monthly_cost(analysis: Analysis, policy: Policy) -> Bill:
    route: Route = ("deployment", "instance", "type")
    try:
        plan = _without_own_figures(analysis, policy).serving_plan
    except NotKnownError as reason:
        return Bill(route, None, f"needs {reason}")
    bill = charges(plan)
    if bill is None or plan.price is None:
        return Bill(route, None, "needs the price of the endpoint's instances")
    for name, why in bill.left_out.items():
        return Bill(route, None, f"{name}: {why}")
    month = bill.scaled["monthly"]
    most = Money(month.high * plan.price.spread[1], month.currency)
    return Bill(route, most, "with the most instances, for 30 days")


def _without_own_figures(analysis: Analysis, policy: Policy) -> Analysis:
    """The same job at the catalog's prices, in their currency: the policy has its own exchange rates."""
    spec, job, served = analysis.spec, analysis.spec.instance, analysis.spec.deployment
    if policy.lines.accept_own_figures:
        return replace(analysis, spec=spec.model_copy(update={"budget": None}))
    job = job.model_copy(update={"price": None})
    if served is not None:
        test = served.ab_test
        if test is not None and test.instance is not None:
            test = test.model_copy(update={"instance": test.instance.model_copy(update={"price": None})})
        rented = served.instance.model_copy(update={"price": None})
        served = served.model_copy(update={"instance": rented, "ab_test": test})
    changed = {"instance": job, "deployment": served, "budget": None, "calibration": None}
    return replace(analysis, spec=spec.model_copy(update=changed), measurement=None)
