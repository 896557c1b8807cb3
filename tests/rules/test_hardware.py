"""Boundaries and messages of the rules on hardware, parallelism, memory and what the spec names (HB101 to HB123)."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import pytest
from judged import SPECS, judged, said

from hbspec.analysis import Analysis
from hbspec.catalog import catalog
from hbspec.diagnostics import route_text
from hbspec.rules import hb114_volume_too_small, hb120_license_differs
from hbspec.units import GB, bytes_text, interval_text

SEED = SPECS / "heartbeat-as-written.yaml"
SMALL = "model: {id: Qwen/Qwen2.5-7B}\n"


class TestSeed:
    def test_the_first_alternative_is_not_offered(self):
        (found,) = said("HB113", SEED)
        assert (found.route, found.severity) == (("instance", "alternatives", 0), "warning")
        assert found.message == "ml.p4de.24xlarge is not offered in ca-central-1"


class TestSharding:
    def test_zero3_shards_what_is_not_quantised(self, tmp_path):
        fragment = "instance: {parallelism: zero3}\nhyperparameters: {method: lora}"
        assert judged("HB123", fragment, tmp_path) == []


class TestShardingThatHasNoEffect:
    """What nothing shards or offloads changes no job: it is said, and is no error."""

    @pytest.mark.parametrize("parallelism", ["single", "ddp", "zero2", "zero3"])
    def test_sharding_of_what_is_not_fsdp(self, parallelism, tmp_path):
        fragment = f"instance: {{parallelism: {parallelism}, sharding: %s}}\nhyperparameters: {{method: lora}}"
        assert judged("HB124", fragment % "hybrid", tmp_path) == []
        assert "instance.sharding" in {
            route_text(found.route) for found in judged("HB213", fragment % "hybrid", tmp_path)
        }
        assert judged("HB124", fragment % "none", tmp_path) == []

    def test_offload_under_ddp(self, tmp_path):
        fragment = "instance: {parallelism: ddp, offload: all}"
        (found,) = judged("HB213", fragment, tmp_path)
        assert (found.severity, found.route) == ("warning", ("instance", "offload"))
        assert judged("HB124", fragment, tmp_path) == []

    @pytest.mark.parametrize("parallelism", ["zero1", "zero2"])
    def test_offload_that_is_planned_and_not_done_is_one_error(self, parallelism, tmp_path):
        fragment = f"instance: {{parallelism: {parallelism}, offload: all}}"
        (found,) = judged("HB124", fragment, tmp_path)
        assert (found.severity, found.also) == ("error", (("HB213", ("instance", "offload")),))
        assert judged("HB213", fragment, tmp_path) == []


class TestTypes:
    def test_a_type_that_sagemaker_only_serves_on(self, tmp_path):
        (found,) = judged("HB112", "instance: {type: ml.inf2.48xlarge}", tmp_path)
        assert found.message == "ml.inf2.48xlarge is an instance type, but none to train on"

    def test_a_misspelled_alternative(self, tmp_path):
        (found,) = judged("HB112", "instance: {alternatives: [ml.p4de.24xlarge, ml.p5.48xlage]}", tmp_path)
        assert found.route == ("instance", "alternatives", 1)
        assert found.fixes[0].value == "ml.p5.48xlarge"

    def test_a_type_that_is_none_has_one_message(self, tmp_path):
        codes = ("HB113", "HB117", "HB119", "HB121")
        assert not any(judged(code, "instance: {type: ml.p4d.24xl}", tmp_path) for code in codes)

    @pytest.mark.parametrize("name", ["ml.trn1.32xlarge", "ml.m5.xlarge", "ml.c7i.48xlarge"])
    def test_training_types_without_a_gpu(self, name, tmp_path):
        (found,) = judged("HB121", f"instance: {{type: {name}}}", tmp_path)
        assert found.message.startswith(f"{name} has no GPU")

    def test_every_training_type_with_a_gpu_has_one_in_the_catalog(self):
        for name, row in catalog().instances.items():
            assert (row.gpus > 0) == (row.accelerator == "gpu"), name

    def test_where_a_type_is_offered_may_not_be_known(self, tmp_path):
        from hbspec.api import check

        assert judged("HB113", "instance: {type: ml.p3.2xlarge, alternatives: [ml.p4de.24xlarge]}", tmp_path) == []
        assert "ml.p3.2xlarge" in check(tmp_path / "spec.yaml").skipped["HB113"]

    def test_a_region_that_is_not_known_has_one_message(self, tmp_path):
        fragment = "instance: {region: us-east1}\ndeployment: {region: us-east-1}"
        assert judged("HB113", fragment, tmp_path) == []
        (found,) = judged("HB122", fragment, tmp_path)
        assert (found.severity, found.fixes[0].value) == ("warning", "us-east-1")


class TestVolume:
    def test_on_a_type_that_is_known_to_have_none(self, tmp_path):
        judged("HB114", "", tmp_path)
        analysis = _with_disks(tmp_path, 0, volume=None)
        (found,) = hb114_volume_too_small.check(analysis)
        assert (found.severity, found.confidence) == ("error", "certain")
        assert found.message.startswith("the volume holds 30.0 GB by default; weights 65.5 GB, ")

    def test_a_volume_that_just_holds_it(self, tmp_path):
        judged("HB114", "", tmp_path)
        needed = _with_disks(tmp_path, 0, volume=None).storage.needed
        assert needed.low < needed.high
        for volume, severities in (
            (ceil(needed.high), []),
            (ceil(needed.high) - 1, ["warning"]),
            (ceil(needed.low), ["warning"]),
            (ceil(needed.low) - 1, ["error"]),
        ):
            found = list(hb114_volume_too_small.check(_with_disks(tmp_path, 0, volume=volume)))
            assert [finding.severity for finding in found] == severities

    def test_the_estimate_and_the_check_count_the_same(self, tmp_path):
        judged("HB114", "data: {train: {examples: 2000000}}", tmp_path)
        analysis = _with_disks(tmp_path, 0, volume=75 * GB)
        (found,) = hb114_volume_too_small.check(analysis)
        assert "data" in analysis.storage.terms
        assert interval_text(analysis.storage.needed, bytes_text) in found.message

    def test_local_disks_need_none(self, tmp_path):
        judged("HB114", "", tmp_path)
        assert list(hb114_volume_too_small.check(_with_disks(tmp_path, 8000 * GB, volume=None))) == []


class TestModel:
    def test_an_owner_that_was_left_out(self, tmp_path):
        (found,) = judged("HB118", "model: {id: qwen2.5-7b}", tmp_path)
        assert found.fixes[0].value == "Qwen/Qwen2.5-7B"

    def test_a_model_like_no_other_needs_its_config(self, tmp_path):
        (found,) = judged("HB118", "model: {id: our/own-model}", tmp_path)
        assert (found.fixes, "config" in found.help) == ((), True)

    def test_another_model_of_the_same_size_is_named_and_not_put_in_its_place(self, tmp_path):
        (found,) = judged("HB118", "model: {id: Qwen/Qwen2.5-7B-Instruct-xyz}", tmp_path)
        assert found.help.startswith("closest known: Qwen/Qwen2.5-7B; or give model.config")
        assert found.fixes == ()

    @pytest.mark.parametrize("model", ["meta-llama/Meta-Llama-3-8B-Instruct", "mistralai/Mixtral-8x22B-v0.1"])
    def test_a_model_of_another_version_or_size_is_not_named(self, model, tmp_path):
        (found,) = judged("HB118", f"model: {{id: {model}}}", tmp_path)
        assert found.help.startswith("give model.config")

    def test_no_model_at_all(self, tmp_path):
        (found,) = judged("HB118", "model: {id: null}", tmp_path)
        assert found.route == ("model",)

    @pytest.mark.parametrize(
        ("asserted", "published", "same"),
        [
            ("MIT License", "mit", True),
            ("Apache 2.0", "apache-2.0", True),
            ("Apache License, Version 2.0", "apache-2.0", True),
            ("apache", "apache-2.0", True),
            ("Llama 3.1 Community License", "llama3.1", True),
            ("llama3", "llama3.1", False),
            ("llama3.2", "llama3.1", False),
            ("qwen", "qwen-research", True),
            ("mit", "apache-2.0", False),
            ("license", "mit", False),
        ],
    )
    def test_a_licence_is_the_same_in_other_words(self, asserted, published, same):
        assert hb120_license_differs.same_license(asserted, published) is same

    def test_a_licence_that_is_not_known_is_not_contradicted(self, tmp_path):
        assert judged("HB120", "model: {id: Qwen/Qwen3-14B, license: mit}", tmp_path) == []


class TestNamed:
    def test_neither_type_nor_gpu(self, tmp_path):
        (found,) = judged("HB117", "instance: {type: null}", tmp_path)
        assert found.route == ("instance",)
        assert found.message == "neither a type nor a gpu is given"

    def test_a_gpu_with_two_sizes(self, tmp_path):
        (found,) = judged("HB119", "instance: {type: null, gpu: A100, gpus: 8}", tmp_path)
        assert found.help == "did you mean A100-40 or A100-80 or A100-PCIe-80?"

    def test_an_endpoints_gpu(self, tmp_path):
        (found,) = judged("HB119", "deployment: {instance: {type: null, gpu: RTX4090}}", tmp_path)
        assert found.route == ("deployment", "instance", "gpu")


def _analysis(folder) -> Analysis:
    from datetime import date

    from hbspec.analysis import analyse
    from hbspec.source import load
    from hbspec.spec import read

    document = load(folder / "spec.yaml")
    return analyse(document, read(document), catalog(), date(2026, 11, 22))


def _planned(analysis: Analysis, **changes) -> Analysis:
    analysis.__dict__["plan"] = replace(analysis.plan, **changes)
    return analysis


def _with_disks(folder, nvme_bytes: int, volume: int | None) -> Analysis:
    analysis = _analysis(folder)
    machine = analysis.plan.hardware
    section = analysis.spec.instance.model_copy(update={"volume": volume})
    analysis = replace(analysis, spec=analysis.spec.model_copy(update={"instance": section}))
    return _planned(analysis, hardware=replace(machine, instance=replace(machine.instance, nvme_bytes=nvme_bytes)))
