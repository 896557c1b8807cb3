"""HB109: training memory against the GPU."""

from __future__ import annotations

from judged import edge, estimated, judged, largest_within, on_hardware

from hbspec.rules import hb109_does_not_fit as hb109

BATCH = "hyperparameters.per_device_batch_size"
ROOMY = "budget: {max_cost: 9999 USD}\ninstance: {max_runtime: 99h}\nhyperparameters: {max_steps: 30}"


def test_edge(tmp_path):
    most = largest_within("HB109", ROOMY, BATCH, 1, 1000, tmp_path)
    assert 1 < most < 999
    edge("HB109", ROOMY, BATCH, most, most + 1, tmp_path)


def test_edge_of_the_memory_of_a_gpu(tmp_path):
    gpu = "instance: {type: null, gpu: RTX 3060, gpus: 8, price: 30 USD/h}"
    least = largest_within("HB109", gpu, "instance.gpu_memory", 10**11, 10**9, tmp_path, "B")
    edge("HB109", gpu, "instance.gpu_memory", f"{least} B", f"{least - 1} B", tmp_path)


def test_an_error_where_even_the_low_end_is_too_much(tmp_path):
    (found,) = judged("HB109", "model: {id: Qwen/Qwen2.5-72B}", tmp_path)
    assert (found.severity, found.route) == ("error", ("instance", "type"))
    assert found.message.startswith("training needs ")
    assert "quantized weights" in found.message
    assert "42.3 GB (39.39 GiB) of the A100-40 is usable" in found.message


def test_a_warning_where_only_the_high_end_is(tmp_path):
    process = estimated("", tmp_path).memory.fullest.process
    assert process.low < process.high
    for usable, severity in ((process.low - 1, "error"), (process.high - 1, "warning"), (process.high, None)):
        analysis = on_hardware(
            "", tmp_path, lambda old, usable=usable: old._replace(gpu=old.gpu._replace(usable_bytes=int(usable)))
        )
        assert [found.severity for found in hb109.check(analysis)] == ([severity] if severity else [])
