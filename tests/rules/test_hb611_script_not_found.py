"""HB611: the training script's place."""

from __future__ import annotations

from judged import edge, judged

SCRIPT = "script: {source_dir: %s, entry_point: %s}"


def test_the_edge_is_a_file(tmp_path):
    edge("HB611", SCRIPT % (".", "base.yaml"), "script.entry_point", "base.yaml", "other.yaml", tmp_path)


def test_found(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("")
    assert judged("HB611", SCRIPT % ("./src", "train.py"), tmp_path) == []


def test_no_folder(tmp_path):
    (found,) = judged("HB611", SCRIPT % ("./src", "train.py"), tmp_path)
    assert found.route == ("script", "source_dir")


def test_no_script(tmp_path):
    (tmp_path / "src").mkdir()
    (found,) = judged("HB611", SCRIPT % ("./src", "train.py"), tmp_path)
    assert found.route == ("script", "entry_point")


def test_a_script_outside_its_folder_is_not_copied(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "train.py").write_text("")
    (found,) = judged("HB611", SCRIPT % ("./src", "../train.py"), tmp_path)
    assert found.route == ("script", "entry_point")
