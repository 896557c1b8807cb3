"""HB113: types and the regions that offer them."""

from __future__ import annotations

from judged import AS_OF, SPECS, edge, judged, said

from hbspec.api import check


def test_edge(tmp_path):
    fragment = "instance: {type: ml.p4de.24xlarge}\ndeployment: {region: us-east-1}"
    edge("HB113", fragment, "instance.region", "us-east-1", "ca-central-1", tmp_path)


def test_edge_of_an_alternative(tmp_path):
    fragment = "instance: {region: ca-central-1}\ndeployment: {region: us-east-1}"
    edge("HB113", fragment, "instance.alternatives", ["ml.p5.48xlarge"], ["ml.p4de.24xlarge"], tmp_path)


def test_the_first_alternative_of_the_seed_is_not_offered():
    (found,) = said("HB113", SPECS / "heartbeat-as-written.yaml")
    assert (found.route, found.severity) == (("instance", "alternatives", 0), "warning")
    assert found.message == "ml.p4de.24xlarge is not offered in ca-central-1"


def test_the_type_itself_is_an_error(tmp_path):
    (found,) = judged("HB113", "instance: {type: ml.p4de.24xlarge, region: ca-central-1}", tmp_path)
    assert found.severity == "error"
    assert found.help.startswith("use one of its regions, ")


def test_where_a_type_is_offered_may_not_be_known(tmp_path):
    assert judged("HB113", "instance: {type: ml.p3.2xlarge, alternatives: [ml.p4de.24xlarge]}", tmp_path) == []
    assert "ml.p3.2xlarge" in check(tmp_path / "spec.yaml", as_of=AS_OF).skipped["HB113"]
