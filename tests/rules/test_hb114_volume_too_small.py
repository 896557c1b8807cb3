"""HB114: the volume against what it must hold."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import pytest
from judged import edge, estimated, judged, on_hardware

from hbspec.analysis import Analysis
from hbspec.rules import hb114_volume_too_small as hb114
from hbspec.units import GB, bytes_text, interval_text

P3 = "model: {id: Qwen/Qwen2.5-7B}\ninstance: {type: %s, parallelism: single, price: 3.825 USD/h, volume: %s}"


def test_edge(tmp_path):
    fragment = P3 % ("ml.p3.2xlarge", "null")
    needed = ceil(estimated(fragment, tmp_path).storage.needed.high)
    edge("HB114", fragment, "instance.volume", f"{needed} B", f"{needed - 1} B", tmp_path)


def test_on_a_type_that_is_known_to_have_none(tmp_path):
    (found,) = hb114.check(_with_disks("", tmp_path, 0, volume=None))
    assert (found.severity, found.confidence) == ("error", "certain")
    assert found.message.startswith("weights 65.5 GB, ")
    assert found.message.endswith("; the volume has 30.0 GB by default")


def test_severity_follows_the_ends_of_the_estimate(tmp_path):
    needed = _with_disks("", tmp_path, 0, volume=None).storage.needed
    assert needed.low < needed.high
    for volume, severities in (
        (ceil(needed.high), []),
        (ceil(needed.high) - 1, ["warning"]),
        (ceil(needed.low), ["warning"]),
        (ceil(needed.low) - 1, ["error"]),
    ):
        found = list(hb114.check(_with_disks("", tmp_path, 0, volume=volume)))
        assert [finding.severity for finding in found] == severities


def test_the_estimate_and_the_check_count_the_same(tmp_path):
    analysis = _with_disks("data: {train: {examples: 2000000}}", tmp_path, 0, volume=75 * GB)
    (found,) = hb114.check(analysis)
    assert "data" in analysis.storage.terms
    assert interval_text(analysis.storage.needed, bytes_text) in found.message


@pytest.mark.parametrize("name", ["ml.p3.2xlarge", "ml.p3.8xlarge"])
def test_the_estimate_says_of_a_volume_what_the_check_says(name, tmp_path):
    """Whether they have local storage is not known: neither is sure."""
    (found,) = judged("HB114", P3 % (name, "10 GB"), tmp_path)
    assert (found.severity, found.confidence) == ("warning", "likely")
    assert f"whether {name} has local storage as well is not known" in found.message
    assert estimated(P3 % (name, "10 GB"), tmp_path).storage.verdict == "tight"


def test_local_disks_need_no_volume(tmp_path):
    assert list(hb114.check(_with_disks("", tmp_path, 8000 * GB, volume=None))) == []


def _with_disks(fragment, folder, nvme_bytes: int, volume: int | None) -> Analysis:
    """The analysis on an instance that is known to have so much NVMe, and so large a volume."""
    analysis = on_hardware(
        fragment, folder, lambda old: old._replace(instance=old.instance._replace(nvme_bytes=nvme_bytes))
    )
    section = analysis.spec.instance.model_copy(update={"volume": volume})
    sized = replace(analysis, spec=analysis.spec.model_copy(update={"instance": section}))
    sized.__dict__["plan"] = analysis.plan
    return sized


def test_checkpoints_that_fill_the_volume_are_the_cause(tmp_path):
    fragment = P3 % ("ml.p3.2xlarge", "60 GB") + "\nhyperparameters: {save_steps: 1, save_total_limit: %d}"
    (found,) = judged("HB114", fragment % 200, tmp_path)
    assert found.route == ("hyperparameters", "save_total_limit")
    assert found.help.startswith("set save_total_limit: 3, or use volume: ")
    assert judged("HB114", fragment % 3, tmp_path) == []
