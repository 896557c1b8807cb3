"""HB318: the time that a stop takes against the notice of a spot interruption."""

from __future__ import annotations

import pytest
from judged import edge, estimated, judged, largest_within

from hbspec.estimators.job.stop import Stop
from hbspec.units import Interval, interval_text, seconds_text

SPOT = "instance: {spot: true, max_wait: 8h}\n"
ALONE = f"{SPOT}deployment: null\nhyperparameters: {{save_steps: 20}}"


def test_the_edge_is_the_largest_adapter_that_is_saved_in_time(tmp_path):
    largest = largest_within("HB318", ALONE, "hyperparameters.lora_r", 64, 128, tmp_path)
    edge("HB318", ALONE, "hyperparameters.lora_r", largest, largest + 1, tmp_path)
    takes = [estimated(ALONE.replace("20", f"20, lora_r: {rank}"), tmp_path) for rank in (largest, largest + 1)]
    assert takes[0].analysis.stop.total.high <= 115 < takes[1].analysis.stop.total.high


@pytest.mark.parametrize(("takes", "count"), [(115, 0), (115.5, 1)])
def test_the_edge_is_what_the_launcher_leaves(takes, count, tmp_path, monkeypatch):
    parts = Stop(Interval(1, 2, takes - 20), Interval(1, 2, 20))
    monkeypatch.setattr("hbspec.analysis.analysis.stop", lambda plan: parts)
    assert len(judged("HB318", SPOT, tmp_path)) == count


def test_a_stop_that_may_take_longer_than_the_notice(tmp_path):
    spot = f"{SPOT}deployment: null\nhyperparameters: {{save_steps: 20, modules_to_save: [lm_head]}}"
    (found,) = judged("HB318", spot, tmp_path)
    takes = interval_text(estimated(spot, tmp_path).analysis.stop.total, seconds_text)
    assert (found.severity, found.route) == ("warning", ("instance", "spot"))
    assert found.message == (
        f"the current micro-batch and a checkpoint are predicted to take {takes}, "
        "but an interruption leaves 115 s to stop"
    )
    assert judged("HB318", spot.replace("spot: true", "spot: false"), tmp_path) == []
    unsaved = "instance: {spot: true}\nscript: {entry_point: base.yaml}\nhyperparameters: {modules_to_save: [lm_head]}"
    assert judged("HB318", unsaved, tmp_path) == [], "that is HB307"
    assert judged("HB318", spot.replace("lm_head]", "lm_head], per_device_batch_size: 64"), tmp_path) == []


def test_long_micro_batches_are_to_be_smaller(tmp_path, monkeypatch):
    parts = Stop(Interval(1, 2, 200), Interval(1, 2, 20))
    monkeypatch.setattr("hbspec.analysis.analysis.stop", lambda plan: parts)
    spot = SPOT + "hyperparameters: {per_device_batch_size: %d}"
    (several,) = judged("HB318", spot % 2, tmp_path)
    assert several.help.startswith("lower per_device_batch_size")
    (one,) = judged("HB318", spot % 1, tmp_path)
    assert one.help.startswith("set spot: false")
