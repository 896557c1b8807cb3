"""HB129 and HB033: the author's DeepSpeed JSON against the spec, and against DeepSpeed's own keys."""

from __future__ import annotations

import json

import pytest
from judged import codes, edge, estimated, judged

ZERO2 = "instance: {parallelism: zero2, deepspeed: ./ds.json}"


@pytest.fixture
def project(tmp_path):
    """Writes the JSON beside the spec."""

    def write(values, **more):
        usual = {"zero_optimization": {"stage": 2}, "train_micro_batch_size_per_gpu": "auto"}
        (tmp_path / "ds.json").write_text(json.dumps({**usual, **(values or {}), **more}))
        return tmp_path

    return write


def test_edge(tmp_path):
    edge("HB129", ZERO2, "instance.parallelism", "zero2", "zero1", tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        ("train_micro_batch_size_per_gpu", 2, "per_device_batch_size is 1"),
        ("gradient_accumulation_steps", 8, "gradient_accumulation_steps is 4"),
        ("train_batch_size", 64, "the effective batch is 32"),
        ("gradient_clipping", 0.5, "max_grad_norm is 1"),
        ("bf16", {"enabled": False}, "bf16 is true"),
        ("fp16", {"enabled": True}, "fp16 is false"),
        ("optimizer", {"type": "AdamW", "params": {"lr": 5e-4}}, "learning_rate is 0.0001"),
        ("scheduler", {"type": "WarmupDecayLR", "params": {"total_num_steps": 9}}, "the number of updates is 300"),
    ],
)
def test_what_transformers_compares(key, value, name, project):
    (found,) = judged("HB129", ZERO2, project({key: value}))
    assert name in found.message
    assert found.help.endswith('to "auto"')


def test_equal_values_and_auto_are_no_contradiction(project):
    same = {
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": 4,
        "train_batch_size": 32,
        "gradient_clipping": 1.0,
        "bf16": {"enabled": True},
        "optimizer": {"type": "AdamW", "params": {"lr": 1e-4, "eps": "auto"}},
    }
    assert judged("HB129", ZERO2, project(same)) == []


def test_the_stage(project):
    (found,) = judged("HB129", ZERO2, project({"zero_optimization": {"stage": 3}}))
    assert found.message == "`zero_optimization.stage` is 3, but parallelism is zero2"
    assert found.help == "set `zero_optimization.stage` to 2"


def test_a_json_that_nothing_reads(project):
    (found,) = judged("HB129", "instance: {parallelism: ddp, deepspeed: ./ds.json}", project({}))
    assert found.message == "parallelism: ddp does not run DeepSpeed, but deepspeed names a JSON"


def test_the_offload_is_the_json_s(project):
    offloads = project({"zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu"}}})
    assert judged("HB129", ZERO2, offloads) == []
    assert judged("HB124", ZERO2, offloads) == []
    assert estimated(ZERO2, offloads).plan.offload == "optimizer"
    (found,) = judged("HB129", "instance: {parallelism: zero2, offload: none, deepspeed: ./ds.json}", offloads)
    assert found.message == "the JSON offloads optimizer states, but instance.offload is none"


def test_its_buckets_are_counted(project):
    def peak(size):
        zero = {"stage": 2, "reduce_bucket_size": size, "overlap_comm": True}
        fragment = f"{ZERO2}\nhyperparameters: {{method: lora}}\nmodel: {{id: Qwen/Qwen2.5-7B}}"
        found = estimated(fragment, project({"zero_optimization": zero}))
        return found.memory.fullest.peak_allocated.expected

    assert peak(1_000_000_000) - peak(500_000_000) == 2 * 2 * 500_000_000


class TestKeys:
    def test_a_misspelt_key(self, project):
        (found,) = judged("HB033", ZERO2, project({"zero_optimization": {"stage": 2, "overlap_com": True}}))
        assert found.route == ("instance", "deepspeed")
        assert found.message == "./ds.json: DeepSpeed has no key `zero_optimization.overlap_com` and refuses it"
        assert found.help == "did you mean `zero_optimization.overlap_comm`?"

    def test_memory_is_then_not_known(self, project):
        found = estimated(ZERO2, project({"zero_optimization": {"stage": "two"}}))
        assert found.memory is None
        assert "DeepSpeed's settings" in found.unknown["memory"]

    @pytest.mark.parametrize(
        ("text", "code"),
        [("{", "HB030"), ("[1]", "HB033"), ("NaN", "HB030"), ("[" * 100_000, "HB030"), ('{"a": 1e999}', "HB033")],
    )
    def test_texts_that_are_no_json_of_deepspeed(self, text, code, tmp_path):
        (tmp_path / "ds.json").write_text(text)
        assert code in codes(ZERO2, tmp_path)

    def test_a_file_outside_the_project(self, tmp_path):
        assert "HB030" in codes("instance: {parallelism: zero2, deepspeed: ../../ds.json}", tmp_path)

    def test_what_is_not_counted_leaves_memory_open(self, project):
        found = estimated(ZERO2, project({"zero_optimization": {"stage": 2, "zenflow": {"topk_ratio": 0.1}}}))
        assert "zero_optimization.zenflow" in found.unknown["memory"]
