"""Plans for tests: the HeartBeat job with some values changed."""

from __future__ import annotations

from typing import Any

from hbspec.catalog import Architecture, catalog
from hbspec.plan import Plan, ServingPlan, build_plan, build_serving_plan
from hbspec.spec import Spec

R1 = "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"
P4D = {"type": "ml.p4d.24xlarge", "region": "us-east-1", "max_runtime": "16h"}
QLORA = {"method": "qlora", "lora_r": 16, "lora_alpha": 32.0, "lora_dropout": 0.05, "bnb_quant_type": "nf4"}
LORA = {"method": "lora", "lora_r": 16, "lora_alpha": 32.0, "lora_dropout": 0.05}
FULL = {"method": "full"}
TRAINER = {"software": {"trainer": "transformers"}}
"""The plain Trainer: logits are held whole, and k-bit preparation turns what is not quantised into fp32."""


def planned(
    model: str = R1,
    *,
    instance: dict[str, Any] | None = None,
    tokens: tuple[float, int] | None = (374.0, 689),
    architecture: Architecture | None = None,
    method: dict[str, Any] | None = None,
    sections: dict[str, Any] | None = None,
    **hyperparameters: Any,
) -> Plan:
    """The plan of a job; `tokens` are the mean and the longest example."""
    spec = _spec(model, instance, tokens, method or QLORA, sections or {}, hyperparameters)
    return build_plan(spec, catalog(), architecture or _architecture(model), None)


def served(model: str = R1, **deployment: Any) -> ServingPlan:
    """The plan of an endpoint."""
    values = {"quantization": "nf4", "max_model_len": 4096, "concurrency": 4, "typical_output_tokens": 400}
    spec = _spec(model, None, (374.0, 689), QLORA, {"deployment": {**values, **deployment}}, {})
    architecture = _architecture(model)
    plan = build_plan(spec, catalog(), architecture, None)
    found = build_serving_plan(spec, catalog(), architecture, plan.trainable_parameters, plan.row_tokens.expected)
    assert found is not None
    return found


def _architecture(model: str) -> Architecture | None:
    entry = catalog().models.get(model)
    return entry.architecture if entry else None


def _spec(
    model: str,
    instance: dict[str, Any] | None,
    tokens: tuple[float, int] | None,
    method: dict[str, Any],
    sections: dict[str, Any],
    hyperparameters: dict[str, Any],
) -> Spec:
    values = {
        "learning_rate": 1e-4,
        "max_steps": 300,
        "per_device_batch_size": 1,
        "gradient_accumulation_steps": 32,
        "max_length": 4096,
        **method,
        **hyperparameters,
    }
    data: dict[str, Any] = {"train": {"examples": 2198}}
    if tokens:
        data["tokens"] = {"mean": tokens[0], "max": tokens[1]}
    return Spec.model_validate(
        {
            "hbspec": 1,
            "name": "heartbeat",
            "model": {"id": model},
            "data": data,
            "instance": {**P4D, **(instance or {"parallelism": "pipeline"})},
            "hyperparameters": values,
            **sections,
        }
    )
