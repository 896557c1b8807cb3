"""HB310: an instance whose price is not known."""

from __future__ import annotations

from judged import edge, judged


def test_the_edge_is_the_region(tmp_path):
    edge("HB310", "instance: {region: null}", "instance.region", "us-east-1", None, tmp_path)


def test_the_edge_is_a_price_where_the_catalog_lists_none(tmp_path):
    without = "instance: {type: ml.p6-b200.48xlarge}"
    edge("HB310", without, "instance.price", "80 USD/h", None, tmp_path)
    (found,) = judged("HB310", without, tmp_path)
    assert (found.severity, found.help) == ("note", "set instance.price")
