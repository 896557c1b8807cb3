"""HB507: types that the endpoint's region does not offer."""

from __future__ import annotations

from judged import edge, judged

from hbspec.catalog import catalog

G6E = "deployment: {instance: {type: ml.g6e.12xlarge}, region: us-west-2}"


def test_the_edge_is_the_region(tmp_path):
    edge("HB507", G6E, "deployment.region", "us-east-1", "ca-central-1", tmp_path)


def test_an_alternative_is_a_warning(tmp_path):
    other = "deployment: {region: ca-central-1, instance: {alternatives: [ml.g6e.12xlarge]}}"
    (found,) = judged("HB507", other, tmp_path)
    assert (found.route, found.severity) == (("deployment", "instance", "alternatives", 0), "warning")


def test_an_unknown_offer_is_a_note(tmp_path):
    unlisted = next(row.name for row in catalog().instances.values() if row.hosting and row.regions is None)
    (found,) = judged("HB507", f"deployment: {{instance: {{type: {unlisted}}}}}", tmp_path)
    assert found.severity == "note"
