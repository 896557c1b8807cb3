"""Real models to count, built on the meta device: shapes without memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import pytest
from small_configs import CONTAINERS, TINY, VARIANTS
from wrapped_models import beside, whole_model

from hbspec.catalog.families import ALIASES, WRAPPERS
from hbspec.catalog.families.wrappers import TEXT


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each small config in turn."""
    return TINY | VARIANTS[request.param]


@pytest.fixture(scope="session")
def variants() -> dict[str, dict[str, Any]]:
    """All small configs by name."""
    return {name: TINY | variant for name, variant in VARIANTS.items()}


@pytest.fixture(scope="session")
def config_of() -> Callable[[Mapping[str, Any]], Any]:
    """The transformers config of the language model that a config.json describes."""

    from transformers import AutoConfig

    def build(config: Mapping[str, Any]) -> Any:
        fields = deepcopy(dict(config))
        model_type = fields.pop("model_type")
        return AutoConfig.for_model(ALIASES.get(model_type, model_type), **fields).get_text_config()

    return build


@pytest.fixture(scope="session")
def model_of(config_of: Callable[[Mapping[str, Any]], Any]) -> Callable[[Mapping[str, Any]], Any]:
    """The transformers model of it, on the meta device: of a wrapper what is left without its tower."""

    import torch
    from transformers import AutoModelForCausalLM

    def build(config: Mapping[str, Any]) -> Any:
        if WRAPPERS.get(config["model_type"], WRAPPERS["llama4"]).built != TEXT:
            whole = whole_model(config)
            for name in beside(whole):
                delattr(whole.model, name)
            return whole
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(config_of(config))

    return build


@pytest.fixture(scope="session")
def shared_model_of(model_of: Callable[[Mapping[str, Any]], Any]) -> Callable[[Mapping[str, Any]], Any]:
    """The same of small configs, each built once: who changes it takes a copy."""
    built: dict[str, Any] = {}

    def shared(config: Mapping[str, Any]) -> Any:
        key = repr(config)
        if key not in built:
            built[key] = model_of(config)
        return built[key]

    return shared


@pytest.fixture(scope="session")
def tensors_of() -> Callable[[Any], dict[str, tuple[int, int]]]:
    """Parameters by name below their layer: how many tensors, and elements of them all (a tied head is no tensor)."""

    def itemise(model: Any) -> dict[str, tuple[int, int]]:
        count: Counter[str] = Counter()
        elements: Counter[str] = Counter()
        for path, parameter in model.named_parameters():
            parts = [part for part in path.split(".") if part not in CONTAINERS and not part.isdigit()]
            name = ".".join(parts).removesuffix(".weight")
            count[name] += 1
            elements[name] += parameter.numel()
        return {name: (count[name], elements[name]) for name in count}

    return itemise
