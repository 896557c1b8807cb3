"""HB307: a spot job that saves no checkpoints."""

from __future__ import annotations

from judged import edge, judged

OTHER_SCRIPT = "instance: {spot: true, max_wait: 8h}\nscript: {entry_point: base.yaml}"


def test_the_edge_is_an_interval_for_another_script(tmp_path):
    edge("HB307", OTHER_SCRIPT, "hyperparameters.save_steps", 20, None, tmp_path)


def test_the_message_names_the_interval(tmp_path):
    (found,) = judged("HB307", OTHER_SCRIPT, tmp_path)
    assert "hyperparameters.save_steps is not set" in found.message


def test_the_shipped_script_saves_into_the_jobs_folder(tmp_path):
    assert judged("HB307", "instance: {spot: true}\nsagemaker: {checkpoints: null}", tmp_path) == []
