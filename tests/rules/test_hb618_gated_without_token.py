"""HB618: gated models in jobs without a token."""

from __future__ import annotations

import pytest
from judged import codes, edge

GATED = "model: {id: meta-llama/Llama-3.1-8B-Instruct}"


def test_edge(tmp_path):
    edge(
        "HB618",
        "deployment: null",
        "model.id",
        "Qwen/Qwen2.5-7B-Instruct",
        "meta-llama/Llama-3.1-8B-Instruct",
        tmp_path,
    )


@pytest.mark.parametrize("name", ["HF_TOKEN", "HF_HOME", "HF_ENDPOINT"])
def test_a_job_that_gets_the_files_otherwise(name, tmp_path):
    assert "HB618" not in codes(f"{GATED}\nsagemaker: {{environment: {{{name}: x}}}}", tmp_path)


def test_a_token_in_a_secret_is_one(tmp_path):
    arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:hub-a1b2c3"
    assert "HB618" not in codes(f"{GATED}\nsagemaker: {{secrets: {{HF_TOKEN: '{arn}'}}}}", tmp_path)


def test_a_copy_in_the_own_bucket_needs_no_token(tmp_path):
    copy = "model: {id: meta-llama/Llama-3.1-8B-Instruct, source: 's3://bucket/llama/'}"
    assert "HB618" not in codes(copy, tmp_path)


def test_only_a_job_of_sagemaker_lacks_an_account(tmp_path):
    assert "HB618" not in codes(f"{GATED}\nsagemaker: null", tmp_path)


def test_a_mirror_is_not_known_to_be_gated(tmp_path):
    assert "HB618" not in codes("model: {id: unsloth/Meta-Llama-3.1-8B}", tmp_path)
