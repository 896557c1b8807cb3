"""Which piece of evidence a price is taken from."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from hbspec.catalog import catalog
from hbspec.catalog.prices import SUPERSEDED_AFTER, PriceTable

HEADER = "instance_type,region,component,usd_per_hour,as_of,superseded,source,checked,note"


@pytest.mark.parametrize(
    ("instance_type", "region", "component", "usd", "as_of", "basis"),
    [
        # ca-central-1 has EC2 prices only.
        ("ml.p4d.24xlarge", "ca-central-1", "training", "29.0395010", date(2026, 1, 21), "derived"),
        ("ml.g4dn.2xlarge", "ca-central-1", "hosting", "1.04375", date(2026, 1, 21), "derived"),
        ("ml.g5.xlarge", "ca-central-1", "hosting", "1.5638", date(2026, 1, 21), "derived"),
        # Studio's rate is the freshest that there is.
        ("ml.p4d.24xlarge", "us-east-1", "training", "25.2512883", date(2026, 9, 24), "derived"),
        ("ml.p5.48xlarge", "us-east-1", "hosting", "63.296", date(2026, 9, 24), "derived"),
        # Read for the component itself, months ago; and confirmed by Studio's 1.52 since.
        ("ml.p5en.48xlarge", "ap-south-1", "training", "87.354", date(2026, 9, 21), "read"),
        ("ml.g5.2xlarge", "us-east-1", "training", "1.515", date(2026, 9, 24), "derived"),
        ("ml.g6e.12xlarge", "us-east-1", "hosting", "13.12", date(2026, 8, 17), "read"),
        # Read long ago or on no known day, and confirmed since.
        ("ml.g4dn.2xlarge", "us-east-1", "hosting", "0.94", date(2026, 9, 24), "derived"),
        ("ml.p4d.24xlarge", "us-west-2", "hosting", "25.25", date(2026, 9, 24), "derived"),
        ("ml.p4de.24xlarge", "us-east-1", "training", "31.5641075", date(2026, 7, 20), "derived"),
        # The other component's rate.
        ("ml.g7e.2xlarge", "us-east-1", "hosting", "4.2039", date(2026, 9, 24), "derived"),
        # Nothing newer than an old reading.
        ("ml.p3.2xlarge", "us-east-1", "hosting", "3.825", date(2025, 1, 26), "read"),
    ],
)
def test_choice(instance_type, region, component, usd, as_of, basis):
    price = catalog().price(instance_type, region, component)
    assert (price.usd_per_hour, price.as_of, price.basis) == (Decimal(usd), as_of, basis)
    assert (price.instance_type, price.region, price.component) == (instance_type, region, component)


def test_a_derived_price_shows_what_it_is_derived_from():
    price = catalog().price("ml.p4d.24xlarge", "ca-central-1", "training")
    assert price.source.startswith("EC2 25.25174 USD x 1.15 (measured on 5 pairs), EC2 price of 2026-01-21: ")
    assert catalog().price("ml.c5.2xlarge", "ap-northeast-1", "training").source.startswith("Studio rate of ")
    one_pair = catalog().price("ml.p5en.48xlarge", "us-east-1", "training").source
    assert one_pair.startswith("EC2 63.296 USD x 1.15 (measured on 1 pair), EC2 price of 2026-07-20: ")
    confirmed = catalog().price("ml.g4dn.2xlarge", "us-east-1", "hosting").source
    assert confirmed.startswith("hosting rate, 2025-01-26: ")
    assert "; confirmed by Studio rate of 2026-09-24: " in confirmed


@pytest.mark.parametrize(
    ("instance_type", "region", "component"),
    [
        ("ml.p5e.48xlarge", "us-east-2", "training"),  # EC2's price is known, its markup is not
        ("ml.p6-b200.48xlarge", "us-east-1", "training"),
        ("ml.g7.2xlarge", "us-east-1", "training"),
        ("ml.p3.2xlarge", "ca-central-1", "training"),
        ("ml.p4de.24xlarge", "ca-central-1", "training"),  # not offered
        ("ml.p3dn.24xlarge", "us-east-1", "hosting"),  # not accepted
        ("ml.inf2.xlarge", "us-east-1", "training"),
        ("ml.p4d.24xlarge", "mars-north-1", "training"),
        ("p4d.24xlarge", "us-east-1", "training"),
        ("ml.p4d", "us-east-1", "training"),
    ],
)
def test_no_evidence_is_no_price(instance_type, region, component):
    assert catalog().price(instance_type, region, component) is None


def test_every_gpu_type_with_a_measured_family_is_priced_in_ca_central_1():
    families = {"g4dn", "g5", "g6", "p4d", "p5"}
    for instance in catalog().instances.values():
        offered = instance.regions and "ca-central-1" in instance.regions
        if offered and instance.training and instance.name.split(".")[1] in families:
            assert catalog().price(instance.name, "ca-central-1", "training"), instance.name


def test_old_prices_can_be_looked_up_but_are_not_chosen():
    seen = {
        (price.component, price.usd_per_hour, price.as_of)
        for price in catalog().observed_prices("ml.p4d.24xlarge", "us-east-1")
    }
    assert ("ec2", Decimal("32.7726"), date(2025, 4, 28)) in seen
    assert ("hosting", Decimal("37.688"), date(2025, 1, 26)) in seen
    assert catalog().price("ml.p4d.24xlarge", "us-east-1", "hosting").usd_per_hour == Decimal("25.2512883")
    assert catalog().observed_prices("ml.p4d.24xlarge", "mars-north-1") == ()


@pytest.fixture
def choose_price(monkeypatch, tmp_path):
    """The price of ml.g5.xlarge training, from the given rows (component, rate, date[, superseded])."""

    def price(*evidence):
        lines = [
            f"ml.g5.xlarge,here,{component},{rate},{as_of},{''.join(old)},of {component},2026-11-22,"
            for component, rate, as_of, *old in evidence
        ]
        (tmp_path / "prices.csv").write_text("\n".join([HEADER, *lines]))
        (tmp_path / "markups.csv").write_text(
            "family,size,markup,lowest,highest,pairs\ng5,xlarge,1.40,1.398,1.4016,8\n"
        )
        for module in ("prices", "rows"):
            monkeypatch.setattr(f"hbspec.catalog.{module}.DATA", tmp_path)
        return PriceTable().price("ml.g5.xlarge", "here", "training")

    return price


@pytest.fixture
def choose(choose_price):
    """The same in texts: rate, date, basis."""

    def price(*evidence):
        found = choose_price(*evidence)
        return found and (str(found.usd_per_hour), str(found.as_of), found.basis)

    return price


def test_directness_wins_while_fresh(choose):
    sibling, studio, ec2 = ("hosting", 2, "2026-06-01"), ("studio", 3, "2026-06-02"), ("ec2", 4, "2026-06-03")
    assert choose(ec2) == ("5.60", "2026-06-03", "derived")
    assert choose(ec2, studio) == ("3", "2026-06-02", "derived")
    assert choose(ec2, studio, sibling) == ("2", "2026-06-01", "derived")
    assert choose(ec2, studio, sibling, ("training", 1, "2026-05-01")) == ("1", "2026-05-01", "read")


def test_the_newest_of_a_component_counts(choose):
    rows = [("training", 1, "2026-01"), ("training", 2, "2026-02-01"), ("training", 3, ""), ("training", 4, "2025-12")]
    assert choose(*rows) == ("2", "2026-02-01", "read")
    assert choose(*reversed(rows)) == ("2", "2026-02-01", "read")


def test_later_evidence_replaces_what_it_contradicts(choose):
    old = ("training", 10, "2025-01-01")
    just_fresh = date(2025, 1, 1) + SUPERSEDED_AFTER
    assert choose(old, ("studio", 7, just_fresh)) == ("10", "2025-01-01", "read")
    assert choose(old, ("studio", 7, "2025-07-01")) == ("7", "2025-07-01", "derived")
    assert choose(("training", 10, ""), ("studio", 7, "2020-01-01")) == ("7", "2020-01-01", "derived")


def test_newer_evidence_confirms_what_it_repeats(choose):
    assert choose(("training", "1.515", "2026-04-21"), ("studio", "1.52", "2026-04-22")) == (
        "1.515", "2026-04-22", "derived",
    )  # fmt: skip
    assert choose(("training", "1.515", "2026-04-22"), ("studio", "1.52", "2026-04-22")) == (
        "1.515", "2026-04-22", "read",
    )  # fmt: skip
    old = ("training", "1.515", "2025-01-01")
    assert choose(old, ("studio", "1.52", "2026-01-01")) == ("1.515", "2026-01-01", "derived")
    assert choose(old, ("studio", "1.54", "2026-01-01")) == ("1.54", "2026-01-01", "derived")


def test_nothing_dated_stays_undated(choose):
    assert choose(("training", 10, ""), ("studio", 7, "")) == ("10", "None", "read")


def test_superseded_rows_are_passed_over(choose):
    assert choose(("training", 10, "2026-01-01", "yes")) is None
    assert choose(("training", 10, "2026-01-01", "yes"), ("studio", 7, "2025-01-01")) == ("7", "2025-01-01", "derived")


def test_a_derived_price_is_as_wide_as_its_evidence():
    found = {
        (name, region): catalog().price(name, region, "training")
        for name, region in (("ml.g5.12xlarge", "ca-central-1"), ("ml.p4d.24xlarge", "ca-central-1"))
    }
    least, most = found["ml.g5.12xlarge", "ca-central-1"].spread
    assert (least, most) == (Decimal("1.2483") / Decimal("1.25"), Decimal("1.2541") / Decimal("1.25"))
    assert found["ml.p4d.24xlarge", "ca-central-1"].spread == (1, 1)  # 1.15 on every pair that was measured


def test_only_what_was_read_elsewhere_has_a_spread(choose_price):
    assert choose_price(("training", "2", "2026-06-01")).spread == (1, 1)
    assert choose_price(("hosting", "2", "2026-06-01")).spread == (1, 1)
    assert choose_price(("studio", "2", "2026-06-01")).spread == (Decimal("0.995"), Decimal("1.005"))
    assert choose_price(("ec2", "2", "2026-06-01")).spread == (
        Decimal("1.398") / Decimal("1.40"),
        Decimal("1.4016") / Decimal("1.40"),
    )
