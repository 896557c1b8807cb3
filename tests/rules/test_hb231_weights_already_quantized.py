"""HB231: weights that GPTQ or AWQ quantised."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from judged import codes, judged

CONFIG = json.loads((Path(__file__).parent / "qwen2-awq.json").read_text())
MODEL = "model: {id: our/own, config: own.json}"
NO_EDGE = "the key that leads into it is one of the model's config, not of the spec"


@pytest.mark.parametrize(
    ("method", "refused"), [("gptq", True), ("awq", True), ("bitsandbytes", False), ("mxfp4", False), (None, False)]
)
def test_edge(method, refused, tmp_path):
    (tmp_path / "own.json").write_text(json.dumps(CONFIG | {"quantization_config": {"quant_method": method}}))
    assert ("HB231" in codes(MODEL, tmp_path)) == refused


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("Qwen/Qwen2.5-7B-Instruct-AWQ", "Qwen/Qwen2.5-7B-Instruct"),
        ("TechxGenus/Meta-Llama-3-8B-Instruct-GPTQ", "meta-llama/Meta-Llama-3-8B-Instruct"),
        ("Qwen/Qwen2.5-Coder-7B-Instruct-GPTQ-Int4", "Qwen/Qwen2.5-Coder-7B-Instruct"),
        ("ISTA-DASLab/Meta-Llama-3-8B-Instruct-AQLM-2Bit-1x16", "the model that was quantised"),
    ],
)
def test_a_quantised_copy_names_its_base(name, base, tmp_path):
    (found,) = judged("HB231", f"model: {{id: {name}}}", tmp_path)
    assert (found.route, found.help) == (("model", "id"), f"train {base}")
