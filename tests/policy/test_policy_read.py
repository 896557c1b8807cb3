"""A policy that cannot be used is refused with place and action, and nothing is judged by it."""

from __future__ import annotations

import pytest

from hbspec.configuration import ConfigurationError
from hbspec.policy import read_policy

USD = "max_job_cost: 100 USD\n"


def refused(tmp_path, text):
    file = tmp_path / "policy.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as wrong:
        read_policy(file)
    assert all(entry.file == str(file) and entry.message and entry.help for entry in wrong.value.diagnostics)
    return [
        (entry.span.start.line if entry.span else 0, entry.message, entry.help) for entry in wrong.value.diagnostics
    ]


@pytest.mark.parametrize(
    ("lines", "line", "message", "action"),
    [
        ("region: [eu-*]", 2, "region is not a key", "use regions"),
        ("approvals: {above: 1 USD, tags: x}", 2, "approvals.tags is not a key", "use tag"),
        ("regions: []", 2, "regions is empty, so that nothing would be allowed", "list what is allowed"),
        ("tags: {}", 2, "tags is empty", "list what is allowed"),
        ("max_instances: 0", 2, "max_instances: 0", "correct the value"),
        ("max_instances: -3", 2, "max_instances: -3", "correct the value"),
        ("spot_only: 1", 2, "spot_only: 1", "correct the value"),
        ("max_runtime: 24", 2, "has no unit", "correct the value"),
        ("max_job_cost: 100", 2, "has no currency", "correct the value"),
        ("regions: eu-west-1", 2, "regions: 'eu-west-1'", "correct the value"),
        ("regions: ['eu-west-1 ']", 2, "begins or ends with a space", "delete it"),
        ("data_prefixes: ['acme/train/']", 2, "is not an S3 prefix", "s3://acme-data/train/"),
        ("output_prefixes: ['s3://acme-*/']", 2, "is not an S3 prefix", "s3://acme-data/train/"),
        (f"{USD}approvals: {{above: 100 USD}}", 3, "approvals begin above 100.00 USD, but no job above", "lower"),
        (f"{USD}max_monthly_cost: 5 CAD", 3, "one amount is in USD (max_job_cost), another in CAD", "one currency"),
        ("max_job_cost: 100 CAD", 2, "exchange_rates has no USD", "add exchange_rates"),
        (f"{USD}exchange_rates: {{USD: {{rate: 2, date: 2026-11-01}}}}", 3, "are in USD already", "delete"),
    ],
)
def test_a_line_that_cannot_be_meant(tmp_path, lines, line, message, action):
    ((at, said, help_),) = refused(tmp_path, f"policy: 1\n{lines}\n")
    assert at == line
    assert message in said
    assert action in help_


def test_the_version(tmp_path):
    assert refused(tmp_path, "policy: 2\nspot_only: true\n") == [
        (
            1,
            "the policy is of version 2; this hbspec reads version 1",
            "write `policy: 1`, or use another version of hbspec",
        )
    ]
    assert refused(tmp_path, "spot_only: true\n")[0][1] == "policy is missing"


def test_a_policy_without_a_line(tmp_path):
    assert "has no line" in refused(tmp_path, "policy: 1\nname: all\n")[0][1]


def test_all_faults_at_once(tmp_path):
    assert [line for line, _, _ in refused(tmp_path, "policy: 3\nregions: []\nx: 1\n")] == [1, 2, 3]


def test_texts_that_are_not_a_policy(tmp_path):
    for text in ("", "- 1\n", "policy: [\n", "policy: 1\npolicy: 1\n"):
        assert refused(tmp_path, text)
    (tmp_path / "base.yaml").write_text("regions: [eu-*]\n")
    assert "cannot extend another file" in refused(tmp_path, "extends: base.yaml\npolicy: 1\n")[0][1]
    for data in (b"\xff\xfe\x00", b"policy: 1\nname: \xff\n"):
        (tmp_path / "bytes.yaml").write_bytes(data)
        with pytest.raises(ConfigurationError):
            read_policy(tmp_path / "bytes.yaml")
    for name in ("none.yaml", "."):
        with pytest.raises(ConfigurationError):
            read_policy(tmp_path / name)
