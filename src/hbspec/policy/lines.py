"""The judgement of a job by each line of a policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from hbspec.diagnostics import Finding, Route, Severity, route_text
from hbspec.manual.policy import LINES
from hbspec.policy.patterns import matches, registry, under
from hbspec.policy.read import Policy
from hbspec.policy.subject import Bill, Said, Subject
from hbspec.units import Money, seconds_text

Broken = Iterator[Finding]
SHOWN = 3
"""The number of allowed values that a help names."""


def broken_lines(subject: Subject, policy: Policy) -> Broken:
    """A finding for every line of the policy that a job breaks, at the job's own value."""
    for key, judge in JUDGES.items():
        if getattr(policy.lines, key):
            yield from judge(subject, policy)


def _broken(key: str, route: Route, message: str, action: str) -> Finding:
    page = LINES[key]
    return Finding(page.code, page.name, Severity.ERROR, route, message, action)


def _listed(values: Sequence[str]) -> str:
    more = f" or {len(values) - SHOWN} more" if len(values) > SHOWN else ""
    return ", ".join(values[:SHOWN]) + more


def _not_among(
    key: str, said: Sequence[Said], policy: Policy, allowed: Callable[[str], bool], values: Sequence[str] | None = None
) -> Broken:
    """Findings for values that a list does not allow, and for those that are not said."""
    values = values or getattr(policy.lines, key)
    place = policy.place(key)
    for route, value, why in said:
        if value is None:
            message = f"{route_text(route)} {why or 'is missing'}, so that {place} cannot be seen to hold"
            yield _broken(key, route, message, f"set it to what is allowed: {_listed(values)}")
        elif not allowed(value):
            message = f"{route_text(route)} has {value}, which {place} does not allow"
            yield _broken(key, route, message, f"use what is allowed: {_listed(values)}")


def _matching(key: str, said: Callable[[Subject], Sequence[Said]], within: str = "") -> Callable[..., Broken]:
    def judge(subject: Subject, policy: Policy) -> Broken:
        patterns = getattr(policy.lines, key)
        yield from _not_among(key, said(subject), policy, lambda value: matches(value, patterns, within=within))

    return judge


def _licences(subject: Subject, policy: Policy) -> Broken:
    allowed = {licence.casefold() for licence in policy.lines.licences or ()}
    yield from _not_among("licences", subject.licences, policy, lambda value: value.casefold() in allowed)


def _registries(subject: Subject, policy: Policy) -> Broken:
    patterns = policy.lines.registries or ()
    yield from _not_among(
        "registries", subject.images, policy, lambda image: matches(registry(image), patterns, within=".")
    )


def _read(subject: Subject, policy: Policy) -> Broken:
    """What may be read: the prefixes of data, and what the organisation's jobs wrote."""
    prefixes = (*(policy.lines.data_prefixes or ()), *(policy.lines.output_prefixes or ()))
    said = (*subject.read, *subject.named)
    yield from _not_among("data_prefixes", said, policy, lambda uri: under(uri, prefixes), prefixes)


def _written(subject: Subject, policy: Policy) -> Broken:
    lines = policy.lines
    allowed = lines.output_prefixes or ()
    yield from _not_among("output_prefixes", subject.written, policy, lambda uri: under(uri, allowed))
    if lines.data_prefixes is None:  # else a URI that may be either is judged once, with those that are read
        yield from _not_among("output_prefixes", subject.named, policy, lambda uri: under(uri, allowed))


def _instances(subject: Subject, policy: Policy) -> Broken:
    most = policy.lines.max_instances or 0
    for route, number in subject.counts:
        if number is None or number > most:
            said = "is not a number of instances" if number is None else f"makes {number:g} instances"
            message = f"{route_text(route)} {said}; {policy.place('max_instances')} allows {most:,}"
            yield _broken("max_instances", route, message, f"use at most {most:,} instances")


def _spot(subject: Subject, policy: Policy) -> Broken:
    if subject.not_spot is not None:
        message = f"the job does not use managed spot training, which {policy.place('spot_only')} requires"
        yield _broken("spot_only", subject.not_spot, message, f"set {route_text(subject.not_spot)}")


def _runtime(subject: Subject, policy: Policy) -> Broken:
    most, (route, seconds) = policy.lines.max_runtime or 0, subject.runtime
    if seconds is None or seconds > most:
        said = "sets no limit" if seconds is None else f"lets the job run for {seconds_text(seconds)}"
        message = f"{route_text(route)} {said}; {policy.place('max_runtime')} allows {seconds_text(most)}"
        yield _broken("max_runtime", route, message, f"set it to at most {seconds_text(most)}")


def _tags(subject: Subject, policy: Policy) -> Broken:
    for key, pattern in (policy.lines.tags or {}).items():
        yield from _tag("tags", subject, key, (pattern,), f"{policy.place('tags', key)} requires")


def _tag(line: str, subject: Subject, key: str, patterns: Sequence[str], required: str) -> Broken:
    """A finding unless every value of a tag has a pattern, and there is one that is not blank."""
    values = subject.tags.get(key, ())
    if values and all(value.strip() and matches(value, patterns) for value in values):
        return
    said = f"is {', '.join(map(repr, values))}" if values else "is missing"
    message = f"the tag {key} {said}; {required} {_listed(patterns)}"
    yield _broken(line, (*subject.tags_route, key), message, f"set the tag {key} to {_listed(patterns)}")


def _key(subject: Subject, policy: Policy) -> Broken:
    for route in subject.without_key:
        message = f"{route_text(route)} names no key of AWS KMS, which {policy.place('kms_required')} requires"
        yield _broken("kms_required", route, message, "set it to the id or the ARN of a key")


def _vpc(subject: Subject, policy: Policy) -> Broken:
    for route in subject.without_vpc:
        message = f"{route_text(route)} is missing: {policy.place('vpc_required')} requires a VPC"
        yield _broken("vpc_required", route, message, "name subnets and security groups")


def _job_cost(subject: Subject, policy: Policy) -> Broken:
    yield from _cost("max_job_cost", subject.job_cost(policy), policy.lines.max_job_cost, policy)


def _monthly_cost(subject: Subject, policy: Policy) -> Broken:
    if subject.monthly_cost is not None:
        yield from _cost("max_monthly_cost", subject.monthly_cost(policy), policy.lines.max_monthly_cost, policy)


def _cost(key: str, bill: Bill, limit: Money | None, policy: Policy) -> Broken:
    cost = in_currency(bill, limit, policy)
    if limit is None or (cost.most is not None and cost.most.amount <= limit.amount):
        return
    said = f"is not known ({cost.how})" if cost.most is None else f"can be {cost.most} ({cost.how})"
    message = f"the cost {said}; {policy.place(key)} allows {limit}"
    action = "give what the cost needs" if cost.most is None else "choose what costs less"
    yield _broken(key, bill.route, message, action)


def _approvals(subject: Subject, policy: Policy) -> Broken:
    approvals = policy.lines.approvals
    if approvals is None:
        return
    cost = in_currency(subject.job_cost(policy), approvals.above, policy)
    if cost.most is None or cost.most.amount > approvals.above.amount:
        said = f"is not known ({cost.how})" if cost.most is None else f"can be {cost.most}"
        place = policy.place("approvals")
        required = f"the cost {said}, and {place} requires approval above {approvals.above} by"
        yield from _tag("approvals", subject, approvals.tag, approvals.by, required)


def in_currency(bill: Bill, limit: Money | None, policy: Policy) -> Bill:
    """A bill in the currency of a limit; not known where the policy has no rate for it."""
    if limit is None or bill.most is None or bill.most.currency == limit.currency:
        return bill
    rate = policy.lines.exchange_rates.get(bill.most.currency)
    if rate is None:
        return bill._replace(most=None, how=f"exchange_rates of the policy has no {bill.most.currency}")
    return bill._replace(most=Money(bill.most.amount * Decimal(str(rate.rate)), limit.currency))


JUDGES: dict[str, Callable[[Subject, Policy], Broken]] = {
    "max_job_cost": _job_cost,
    "max_monthly_cost": _monthly_cost,
    "approvals": _approvals,
    "regions": _matching("regions", lambda subject: subject.regions),
    "instance_types": _matching("instance_types", lambda subject: subject.types),
    "max_instances": _instances,
    "spot_only": _spot,
    "max_runtime": _runtime,
    "tags": _tags,
    "kms_required": _key,
    "vpc_required": _vpc,
    "licences": _licences,
    "models": _matching("models", lambda subject: subject.models, within="/"),
    "data_prefixes": _read,
    "output_prefixes": _written,
    "registries": _registries,
}
"""The judge of each line, by its key."""
