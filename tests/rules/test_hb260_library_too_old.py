"""HB260: versions against the model, the options, one another and the GPU."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged

from hbspec.catalog.versions import version_needs

ALONE = "deployment: null\nscript: {entry_point: finetune.py}\nhyperparameters: {save_steps: 50}\n"
LORA = "deployment: null\nhyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null}\n"
LORA += "instance: {type: ml.p5en.48xlarge}\n"


def asking(option: str) -> str:
    return ALONE.replace("save_steps: 50", f"save_steps: 50, {option}")


def family(model: str) -> str:
    return f"{ALONE}model: {{id: {model}}}"


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("model", "last_without", "first"),
    [
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", "4.36.2", "4.37.0"),  # qwen2
        ("Qwen/Qwen3-8B", "4.50.3", "4.51.0"),
        ("Qwen/Qwen3-8B", "4.45.2", "4.51.0rc1"),
        ("mistralai/Mistral-7B-Instruct-v0.2", "4.33.3", "4.34.0"),
        ("google/gemma-3-12b-it", "4.49.0", "4.50.0"),  # a wrapper and its language model
    ],
)
def test_edges_of_families(model, last_without, first, tmp_path):
    edge("HB260", family(model), "software.transformers", first, last_without, tmp_path)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("fragment", "key", "within", "beyond"),
    [
        (ALONE, "bitsandbytes", "0.39.0", "0.38.1"),
        (asking("use_dora: true"), "peft", "0.9.0", "0.8.2"),
        (asking("use_rslora: true"), "peft", "0.8.2", "0.7.1"),
        (asking("target_modules: all-linear"), "peft", "0.8.2", "0.7.1"),
        (asking("attn_implementation: sdpa"), "torch", "2.1.1", "2.1.0"),
        (asking("optim: ademamix"), "transformers", "4.45.0", "4.44.2"),
    ],
)
def test_edges_of_options(fragment, key, within, beyond, tmp_path):
    edge("HB260", fragment, f"software.{key}", within, beyond, tmp_path)


@pytest.mark.parametrize(
    ("key", "within", "beyond"),
    [("torch", "2.6.0", "2.5.1"), ("accelerate", "1.10.1", "1.9.0"), ("bitsandbytes", "0.46.1", "0.46.0")],
)
def test_edges_of_libraries_beside_the_pinned_ones(key, within, beyond, tmp_path):
    edge("HB260", "", f"software.{key}", within, beyond, tmp_path)


def test_edge_of_two_stated_libraries(tmp_path):
    fragment = f"{ALONE}software: {{trainer: trl, trl: 0.20.0}}"
    edge("HB260", fragment, "software.transformers", "4.53.2", "4.53.1", tmp_path)


def test_a_library_that_is_not_used_needs_nothing(tmp_path):
    assert "HB260" not in codes(f"{ALONE}software: {{trl: 0.20.0, transformers: 4.53.1}}", tmp_path)
    assert "HB260" not in codes(f"{LORA}software: {{bitsandbytes: 0.20.0}}", tmp_path)


def test_what_a_script_does_not_state_is_not_taken_for_the_pinned_version(tmp_path):
    assert "HB260" in codes("software: {transformers: 4.45.2}", tmp_path)
    assert "HB260" not in codes(f"{ALONE}software: {{transformers: 4.45.2, trainer: trl}}", tmp_path)


def test_a_gpu_is_newer_than_torch(tmp_path):
    fragment = f"{ALONE}instance: {{type: ml.p5.48xlarge}}\nbudget: {{max_cost: 9000 USD}}"
    edge("HB260", fragment, "software.torch", "2.0.0", "1.13.1", tmp_path)


def test_only_the_newest_need_of_a_library_is_said(tmp_path):
    (found,) = judged("HB260", "software: {transformers: 4.30.0}", tmp_path)
    assert found.message == "transformers is 4.30.0, but trl 1.16.0 needs 4.56.2 or later"
    assert found.severity == "error"


def test_what_needs_it_is_named(tmp_path):
    (found,) = judged("HB260", f"{ALONE}software: {{transformers: 4.30.0}}", tmp_path)
    assert found.message == "transformers is 4.30.0, but a model of type qwen2 needs 4.37 or later"
    assert found.help == "set software.transformers to 4.37 or later"
    (found,) = judged("HB260", f"{ALONE}software: {{bitsandbytes: 0.37.0}}", tmp_path)
    assert found.message == "bitsandbytes is 0.37.0, but 4-bit quantisation needs 0.39.0 or later"


@pytest.mark.parametrize(
    ("fragment", "severity"),
    [
        (f"{ALONE}software: {{transformers: 4.30.0}}", "error"),  # no version of the script can load the model
        (f"{family('microsoft/phi-2')}\nsoftware: {{transformers: 4.35.0}}", "warning"),  # comes with its own code
        ("software: {trl: 1.16.0, transformers: 4.56.0}", "error"),  # pip refuses it
        (f"{ALONE}software: {{trl: 1.16.0, trainer: trl, transformers: 4.56.0}}", "warning"),  # or a script forces it
        ("software: {peft: 0.17.0}", "warning"),  # declared only
    ],
)
def test_severity(fragment, severity, tmp_path):
    assert [found.severity for found in judged("HB260", fragment, tmp_path)] == [severity]


def test_versions_that_go_together(tmp_path):
    together = "torch: 2.5.1, transformers: 4.46.3, trl: 0.13.0, peft: 0.13.2, bitsandbytes: 0.44.1, accelerate: 1.0.1"
    assert "HB260" not in codes(f"{ALONE}software: {{trainer: trl, {together}}}", tmp_path)


def test_the_table_has_one_home_for_each_need():
    keys = [(need.kind, need.name, need.since, need.package) for need in version_needs()]
    assert len(keys) == len(set(keys))
    assert {need.strength for need in version_needs()} == {"always", "install", "declared"}
