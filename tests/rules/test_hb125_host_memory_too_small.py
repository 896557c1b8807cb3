"""HB125: host memory while loading and training."""

from __future__ import annotations

from math import ceil

from judged import edge, estimated, judged

OWN = "instance: {type: null, gpu: A100-40, gpus: 8, price: 30 USD/h, host_memory: %s}"


def test_edge(tmp_path):
    needed = ceil(estimated(OWN % "1 TB", tmp_path).host.memory.high)
    edge("HB125", OWN % "1 TB", "instance.host_memory", f"{needed} B", f"{needed - 1} B", tmp_path)


def test_eight_processes_need_eight_gigabytes_at_least(tmp_path):
    (found,) = judged("HB125", OWN % "7 GB", tmp_path)
    assert (found.route, found.severity) == (("instance", "host_memory"), "error")
    assert found.message.startswith("loading the model needs 8.27 GB to 60.5 GB (expected 36.5 GB) of host memory")
    assert found.message.endswith("mostly processes; the host has 7.00 GB (6.52 GiB)")


def test_in_between_is_a_warning(tmp_path):
    (found,) = judged("HB125", OWN % "9 GB", tmp_path)
    assert (found.severity, found.confidence) == ("warning", "likely")
    assert "may need" in found.message


def test_what_is_not_known_is_not_judged(tmp_path):
    assert judged("HB125", "instance: {type: null, gpu: A100-40, gpus: 8}", tmp_path) == []


def test_less_offload_is_advised_where_offload_needs_the_memory(tmp_path):
    fragment = (
        "instance: {parallelism: zero3, offload: all}\nhyperparameters: {method: full}\nmodel: {id: Qwen/Qwen2.5-72B}\n"
    )
    (found,) = judged("HB125", fragment, tmp_path)
    assert found.route == ("instance", "type")
    assert found.message.startswith("training needs 1.46 TB to 2.08 TB (expected 1.48 TB) of host memory")
    assert "mostly offloaded optimizer; the host has 1.24 TB" in found.message
    assert found.help == "reduce instance.offload"
