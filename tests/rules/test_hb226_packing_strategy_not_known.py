"""HB226: strategies of packing by TRL's version."""

from __future__ import annotations

from judged import edge, judged

PACKED = "hyperparameters: {packing: true, packing_strategy: %s, attn_implementation: flash_attention_2}"


def test_edge(tmp_path):
    edge("HB226", PACKED % "bfd_split", "software.trl", "1.0.0", "0.29.1", tmp_path)


def test_edge_of_the_renamed(tmp_path):
    edge("HB226", PACKED % "ffd", "software.trl", "0.19.1", "0.20.0", tmp_path)


def test_what_it_knows_is_named(tmp_path):
    (found,) = judged("HB226", PACKED % "bfd" + "\nsoftware: {trl: 0.19.1}", tmp_path)
    assert found.message == "TRL 0.19.1 does not know packing_strategy bfd; it knows ffd, wrapped"


def test_another_framework_packs_by_itself(tmp_path):
    packed = "hyperparameters: {packing: true, attn_implementation: flash_attention_2}\nsoftware: {trainer: axolotl}"
    assert judged("HB226", packed, tmp_path) == []


def test_of_the_installed_trl():
    import dataclasses

    from trl import SFTConfig

    from hbspec.plan.epochs import packing_strategies
    from hbspec.plan.shipped_script import SOFTWARE

    (field,) = (field for field in dataclasses.fields(SFTConfig) if field.name == "packing_strategy")
    assert list(packing_strategies(SOFTWARE["trl"])) == field.metadata["choices"]
    assert packing_strategies(SOFTWARE["trl"])[0] == field.default
