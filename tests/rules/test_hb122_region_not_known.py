"""HB122: regions outside the catalog."""

from __future__ import annotations

from judged import edge, judged

MISSPELT = "instance: {region: us-east1}\ndeployment: {region: us-east-1}"


def test_edge(tmp_path):
    edge("HB122", "deployment: {region: us-east-1}", "instance.region", "us-east-1", "us-east1", tmp_path)


def test_edge_of_an_endpoint(tmp_path):
    edge("HB122", "", "deployment.region", "us-east-1", "us-east1", tmp_path)


def test_an_unknown_region_has_one_message(tmp_path):
    assert judged("HB113", MISSPELT, tmp_path) == []
    (found,) = judged("HB122", MISSPELT, tmp_path)
    assert found.message == "region us-east1 is not in the catalog: its offers and prices are unknown"
    assert (found.severity, found.fixes[0].value) == ("warning", "us-east-1")
