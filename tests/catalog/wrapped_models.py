"""Wrappers as transformers builds them, on the meta device."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForMultimodalLM


def whole_model(config: Mapping[str, Any]) -> Any:
    """The wrapper with its tower, on the meta device."""

    fields = deepcopy(dict(config))
    with torch.device("meta"):
        return AutoModelForMultimodalLM.from_config(AutoConfig.for_model(fields.pop("model_type"), **fields))


def beside(whole: Any) -> list[str]:
    """What a wrapper has beside its language model: modules, and parameters of its own."""
    inner = [*whole.model._modules, *whole.model._parameters]
    return [name for name in inner if name not in ("language_model", "text_model")]
