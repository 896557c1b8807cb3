"""HB513: the typical request against `max_model_len`."""

from __future__ import annotations

import pytest
from judged import edge, judged

PROMPT = "deployment: {typical_input_tokens: 900, max_model_len: 1024}"


def test_the_edge_is_prompt_and_answer_together(tmp_path):
    edge("HB513", PROMPT, "deployment.typical_output_tokens", 124, 125, tmp_path)


@pytest.mark.parametrize(
    ("asked", "most", "warned"),
    [
        ("typical_input_tokens: 900, typical_output_tokens: 124", 1024, False),
        ("typical_input_tokens: 900, typical_output_tokens: 125", 1024, True),
        ("typical_input_tokens: 1025, typical_output_tokens: null", 1024, True),
        ("typical_output_tokens: 500", 1024, False),
        ("typical_output_tokens: 900", 1024, True),
        ("typical_input_tokens: 900, typical_output_tokens: 900", "null", False),
    ],
)
def test_the_typical_request_fits_the_longest(asked, most, warned, tmp_path):
    found = judged("HB513", f"deployment: {{{asked}, max_model_len: {most}}}", tmp_path)
    assert bool(found) is warned


def test_beyond_the_positions_no_length_helps(tmp_path):
    spec = (
        "model: {id: google/gemma-2-9b}\ndeployment: {instance: {type: ml.g5.2xlarge}, tensor_parallel: 1, "
        "quantization: none, concurrency: null, typical_output_tokens: null, max_model_len: null, "
        "typical_input_tokens: 9000}"
    )
    (found,) = judged("HB513", spec, tmp_path)
    assert "but the model has 8,192 positions" in found.message
    assert "raise" not in found.help
    assert judged("HB205", spec, tmp_path) == []
