"""What answers at the endpoint's route: with vLLM and adapters, chat completions, which find these by `model`."""

from __future__ import annotations

import json

import pytest
from compiled import BASE, files

VARIABLE = "CUSTOM_FASTAPI_INVOCATION_HANDLER"


@pytest.mark.parametrize(
    ("more", "needed"),
    [
        ((), True),
        (("deployment.quantization=none",), True),
        (("deployment.adapters=merged",), False),
        (("deployment.engine=djl-lmi", "deployment.quantization=none"), False),
    ],
)
def test_vllm_is_told_where_adapters_are_found_by_the_body(more: tuple[str, ...], needed: bool) -> None:
    container = json.loads(files(BASE, "deployment", *more, force=True)["create_model.json"])["PrimaryContainer"]
    assert (VARIABLE in container["Environment"]) == needed
    if needed:
        module, _, function = container["Environment"][VARIABLE].partition(":")
        assert module.startswith("vllm.entrypoints.")
        assert function == "create_chat_completion"
