"""The most that a request can cost, calculated by hand, and amounts in the policy's currency."""

from __future__ import annotations

from decimal import Decimal

import pytest
from policies import request

from hbspec.catalog import catalog
from hbspec.catalog.prices import VOLUME_SPREAD, VOLUME_USD_PER_GB_MONTH
from hbspec.policy import read_policy
from hbspec.policy.judge import judged_request
from hbspec.policy.lines import in_currency
from hbspec.policy.request_facts import subject_of
from hbspec.policy.subject import Bill
from hbspec.source import load_mapping
from hbspec.units import Money


@pytest.fixture
def policy(tmp_path):
    file = tmp_path / "policy.yaml"

    def of(lines):
        file.write_text(f"policy: 1\n{lines}\n")
        return read_policy(file)

    return of


def hourly(name):
    price = catalog().price(name, "ca-central-1", "training")
    return price.usd_per_hour * price.spread[1]


def bill(body, policy):
    return subject_of(body, catalog()).job_cost(policy("max_job_cost: 1 USD"))


def test_instances_volumes_and_keep_alive(policy):
    body = request()
    body["ResourceConfig"]["KeepAlivePeriodInSeconds"] = 3_600
    disk = 100 * VOLUME_USD_PER_GB_MONTH * VOLUME_SPREAD[1] / 720
    assert bill(body, policy).most == Money((hourly("ml.g5.2xlarge") + disk) * 2 * 6, "USD")


def test_groups_add_up(policy):
    body = request()
    groups = [
        {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1},
        {"InstanceType": "ml.g5.2xlarge", "InstanceCount": 3},
    ]
    body["ResourceConfig"] = {"InstanceGroups": groups}
    assert bill(body, policy).most.amount == (hourly("ml.g5.xlarge") + 3 * hourly("ml.g5.2xlarge")) * 5


def test_a_day_counts_where_no_limit_is_set(policy):
    body = request()
    del body["StoppingCondition"], body["ResourceConfig"]["VolumeSizeInGB"]
    assert bill(body, policy).most.amount == 2 * hourly("ml.g5.2xlarge") * 24


def test_the_limit_is_kept_at_the_sum_and_broken_above_it(policy):
    body = request()
    del body["ResourceConfig"]["VolumeSizeInGB"]
    most = 10 * hourly("ml.g5.2xlarge")
    for limit, codes in ((most, []), (most - Decimal("1e-7"), ["HB682"])):
        report = judged_request(load_mapping(body), catalog(), policy(f"max_job_cost: {limit} USD"))
        assert [entry.code for entry in report.diagnostics] == codes


def test_amounts_in_another_currency(policy):
    lines = "max_job_cost: 100 CAD\nexchange_rates: {USD: {rate: 1.5, date: 2026-11-01}}"
    read = policy(lines)
    limit, dollars = read.lines.max_job_cost, Bill((), Money(Decimal(80), "USD"), "")
    assert in_currency(dollars, limit, read).most == Money(Decimal(120), "CAD")
    unknown = in_currency(dollars._replace(most=Money(Decimal(1), "EUR")), limit, read)
    assert (unknown.most, unknown.how) == (None, "exchange_rates of the policy has no EUR")


def test_rules_on_instances_of_their_own_are_not_priced(policy):
    body = request() | {"ProfilerRuleConfigurations": [{"InstanceType": "ml.g5.xlarge"}]}
    assert bill(body, policy).most is None
