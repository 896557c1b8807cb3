"""HB126: NVMe against weights and checkpoints."""

from __future__ import annotations

from judged import edge, judged, largest_within

ON_NVME = """
model: {id: Qwen/Qwen2.5-7B}
instance: {type: ml.g5.xlarge, parallelism: single}
hyperparameters: {lora_r: 64, save_steps: 1, save_total_limit: %s}
deployment: null
"""


def test_edge(tmp_path):
    kept = "hyperparameters.save_total_limit"
    most = largest_within("HB126", ON_NVME % "null", kept, 3, 300, tmp_path)
    edge("HB126", ON_NVME % "null", kept, most, most + 1, tmp_path)


def test_three_hundred_checkpoints_do_not_fit(tmp_path):
    (found,) = judged("HB126", ON_NVME % 300, tmp_path)
    assert (found.route, found.severity) == (("hyperparameters", "save_total_limit"), "error")
    assert "checkpoints 291 GB" in found.message
    assert found.message.endswith("ml.g5.xlarge has 250 GB of NVMe")
    assert found.help == "set save_total_limit: 3"


def test_the_checkpoint_that_is_written_before_one_is_deleted_may_be_too_much(tmp_path):
    each, around = 3 * 2 * 161_480_704, 15_231_233_024 + 2 * 161_480_704
    most = (250 * 10**9 - around) // each
    (found,) = judged("HB126", ON_NVME % most, tmp_path)
    assert (found.severity, found.confidence) == ("warning", "likely")
    assert "may need" in found.message


def test_hb114_judges_volumes(tmp_path):
    fragment = "model: {id: Qwen/Qwen2.5-7B}\ninstance: {type: ml.p3.2xlarge, volume: 10 GB}"
    assert judged("HB126", fragment, tmp_path) == []
    assert len(judged("HB114", fragment, tmp_path)) == 1
