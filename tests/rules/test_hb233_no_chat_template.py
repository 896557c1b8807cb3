"""HB233: conversations for a model without a chat template."""

from __future__ import annotations

from judged import codes, edge, judged

from hbspec.catalog import catalog

HUB = "sagemaker: {environment: {HF_HOME: /opt/ml/input/data/hub}}"


def test_edge(tmp_path):
    edge("HB233", HUB, "model.id", "meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B", tmp_path)


def test_the_source_is_named(tmp_path):
    (found,) = judged("HB233", f"model: {{id: mistralai/Mistral-7B-v0.1}}\n{HUB}", tmp_path)
    assert "vllm-project/vllm/issues/1425" in found.message


def test_a_script_of_the_author_s_may_set_a_template(tmp_path):
    own = "script: {entry_point: finetune.py}"
    assert "HB233" not in codes(f"model: {{id: meta-llama/Llama-3.1-8B}}\n{own}\n{HUB}", tmp_path)


def test_a_template_of_the_job_s_own(tmp_path):
    model = "model: {id: mistralai/Mistral-7B-v0.1}"
    (found,) = judged("HB233", f"{model}\n{HUB}", tmp_path)
    assert found.help.startswith("set data.chat_template: mistral, ")
    assert "HB233" not in codes(f"{model}\n{HUB}\ndata: {{chat_template: mistral}}", tmp_path)


def test_another_base_model_is_not_known_to_have_none(tmp_path):
    assert "HB233" not in codes(f"model: {{id: Qwen/Qwen2.5-7B}}\n{HUB}", tmp_path)


def test_every_row_is_a_name():
    assert {*catalog().untemplated} <= {*catalog().models}
