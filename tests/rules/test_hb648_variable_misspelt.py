"""HB648: names of variables that are almost those of a library."""

from __future__ import annotations

import pytest
from judged import edge, judged

from hbspec.rules.hb648_variable_misspelt import KNOWN


def test_the_edge_is_a_letter(tmp_path):
    right, wrong = ({name: "1"} for name in ("HF_HUB_ENABLE_HF_TRANSFER", "HF_HUB_ENABLE_HF_TRANFER"))
    edge("HB648", "", "sagemaker.environment", right, wrong, tmp_path)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("PYTORCH_CUDA_ALLOC_CONFIG", "PYTORCH_CUDA_ALLOC_CONF"),
        ("TOKENIZER_PARALLELISM", "TOKENIZERS_PARALLELISM"),
        ("CUDA_VISIBLE_DEVICE", "CUDA_VISIBLE_DEVICES"),
        ("hf_hub_disable_telemetry", "HF_HUB_DISABLE_TELEMETRY"),
        ("NCCL_SOCKET_IF_NAME", "NCCL_SOCKET_IFNAME"),
        ("NCCL_MIN_CTAS", None),
        ("HF_HUB_USER_AGENT_ORIGIN", None),
        ("WANDB_NOTES", None),
        ("MY_PROJECT", None),
        ("AWS_REGION", None),
        ("LOG_LEVEL", None),
        ("NCCL_IB_SL", None),
        ("S3_BUCKET", None),
    ],
)
def test_names(name, meant, tmp_path):
    found = judged("HB648", f"sagemaker: {{environment: {{{name}: '1'}}}}", tmp_path)
    assert [meant in entry.message for entry in found] == ([True] if meant else [])


def test_no_known_variable_is_a_misspelling_of_another():
    assert len(set(KNOWN)) == len(KNOWN)
    assert all(name.isidentifier() for name in KNOWN)
