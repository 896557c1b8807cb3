"""HB622: names of buckets."""

from __future__ import annotations

import pytest
from judged import edge, judged

READS = 'data: {train: {uri: "s3://%s/train/"}}\ninstance: {region: %s, type: ml.p4d.24xlarge}'


def test_the_edge_is_63_characters(tmp_path):
    edge("HB622", "", "data.train.uri", f"s3://{'a' * 63}/train/", f"s3://{'a' * 64}/train/", tmp_path)


@pytest.mark.parametrize(
    ("name", "severity", "said"),
    [
        ("abc", None, ""),
        ("my.data-2026", None, ""),
        ("0-data", None, ""),
        ("sagemaker-us-west-2-111122223333", None, ""),
        ("acme--use1-az4--x-s3", None, ""),
        ("ap-1234567890abcdef-s3alias", None, ""),
        ("ab", "error", "2 characters"),
        ("Data", "error", "capital letters"),
        ("my_data", "error", "'_'"),
        ("-data", "error", "begin and end"),
        ("data-", "error", "begin and end"),
        ("da..ta", "error", "two dots"),
        ("192.168.5.4", "error", "IP address"),
        ("<bucket>", "error", "'<', '>'"),
        ("{bucket}", "error", "'{', '}'"),
        ("data.s3.amazonaws.com", "warning", "host of a bucket"),
        ("data.s3-eu-west-1.amazonaws.com", "warning", "host of a bucket"),
        ("data.s3.eu-west-1.amazonaws.com", "warning", "host of a bucket"),
        ("arn:aws:s3:us-west-2:111122223333:accesspoint", None, ""),
    ],
)
def test_names(name, severity, said, tmp_path):
    found = judged("HB622", READS % (name, "us-west-2"), tmp_path)
    assert [entry.severity for entry in found] == ([severity] if severity else [])
    assert all(said in entry.message for entry in found)


@pytest.mark.parametrize(("name", "severity"), [("My_Data", "warning"), ("a" * 200, "warning"), ("my data", None)])
def test_old_buckets_of_us_east_1_may_have_such_names(name, severity, tmp_path):
    found = judged("HB622", READS % (name, "us-east-1"), tmp_path)
    assert [entry.severity for entry in found] == ([severity] if severity else [])  # a blank is told HB604


def test_a_bucket_is_said_once(tmp_path):
    fragment = (
        'data: {train: {uri: "s3://A-b/t/"}, validation: {uri: "s3://A-b/v/"}}\nsagemaker: {output: "s3://C-d/m/"}'
    )
    assert [entry.route[0] for entry in judged("HB622", fragment, tmp_path)] == ["data", "sagemaker"]
