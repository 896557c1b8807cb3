"""HB523: gated models that an endpoint loads from the Hub."""

from __future__ import annotations

from judged import codes, edge, judged

GATED = "model: {id: meta-llama/Llama-3.1-8B-Instruct}"


def test_edge(tmp_path):
    edge("HB523", "", "model.id", "Qwen/Qwen2.5-7B-Instruct", "meta-llama/Llama-3.1-8B-Instruct", tmp_path)


def test_with_the_job_it_is_one_finding(tmp_path):
    (found,) = judged("HB523", GATED, tmp_path)
    assert (found.severity, found.route) == ("error", ("model", "id"))
    assert [code for code, _ in found.also] == ["HB618"]
    assert found.help == "copy its repository to your bucket, and name the copy as model.source"


def test_a_copy_merged_weights_or_an_image_of_ones_own(tmp_path):
    copy = "model: {id: meta-llama/Llama-3.1-8B-Instruct, source: 's3://bucket/llama/'}"
    assert not codes(copy, tmp_path) & {"HB523", "HB618"}
    merged = f"{GATED}\nhyperparameters: {{method: full}}\ndeployment: {{quantization: none}}"
    assert "HB523" not in codes(merged, tmp_path)
    image = "111122223333.dkr.ecr.us-east-1.amazonaws.com/vllm:1"
    assert "HB523" not in codes(f"{GATED}\nsagemaker: {{serving_image: {image}}}", tmp_path)


def test_of_other_weights_the_key_that_names_them(tmp_path):
    other = "deployment: {model: meta-llama/Llama-3.1-8B-Instruct}"
    (found,) = judged("HB523", f"model: {{id: unsloth/Meta-Llama-3.1-8B-Instruct}}\n{other}", tmp_path)
    assert found.route == ("deployment", "model")
    copy = "deployment: {model: 's3://bucket/llama/'}"
    assert "HB523" not in codes(f"model: {{id: unsloth/Meta-Llama-3.1-8B-Instruct}}\n{copy}", tmp_path)
