"""The environment variables of a serving container, which hold the engine's arguments."""

from __future__ import annotations

import json
from typing import Any

from hbspec.analysis import Analysis
from hbspec.plan import ServingPlan

MODEL_FOLDER = "/opt/ml/model"
ADAPTER = "candidate"
SAVED_TEMPLATE = "chat_template.jinja"
"""What transformers calls a tokenizer's template when it saves one (5.23, `CHAT_TEMPLATE_FILE`)."""


def environment(analysis: Analysis, plan: ServingPlan) -> dict[str, str]:
    """The environment variables of the serving container: engine arguments by the engine's names."""
    model = analysis.spec.model.id or ""
    merged = plan.adapters == "merged"
    settings: dict[str, Any] = {
        "tensor_parallel_size": plan.tensor_parallel,
        "dtype": plan.dtype,
        "max_num_seqs": plan.concurrency,
        "gpu_memory_utilization": plan.utilization,
    }
    if plan.max_model_len is not None:
        settings["max_model_len"] = plan.max_model_len
    if plan.kv_cache_dtype != "auto":
        settings["kv_cache_dtype"] = plan.kv_cache_dtype
    if analysis.spec.model.revision and not merged:
        settings["revision"] = analysis.spec.model.revision
    if plan.quantization in ("nf4", "fp4", "int8"):
        settings["quantization"] = "bitsandbytes"
    elif plan.quantization == "fp8":
        settings["quantization"] = "fp8"
    if not merged:
        settings |= {"enable_lora": "true", "max_lora_rank": plan.max_lora_rank}
        settings["lora_modules"] = json.dumps({"name": ADAPTER, "path": MODEL_FOLDER})
        settings |= _as_trained(analysis)
    if plan.engine == "vllm":
        served = {"SM_VLLM_MODEL": MODEL_FOLDER if merged else model}
        return served | {f"SM_VLLM_{key.upper()}": str(value) for key, value in settings.items()}
    served = {"HF_MODEL_ID": MODEL_FOLDER if merged else model, "OPTION_ROLLING_BATCH": "disable"}
    served |= {"OPTION_ASYNC_MODE": "true", "OPTION_ENTRYPOINT": "djl_python.lmi_vllm.vllm_async_service"}
    settings["tensor_parallel_degree"] = settings.pop("tensor_parallel_size")
    if "quantization" in settings:
        settings["quantize"] = settings.pop("quantization")
    return served | {f"OPTION_{key.upper()}": str(value) for key, value in settings.items()}


def _as_trained(analysis: Analysis) -> dict[str, str]:
    """Where the engine finds the chat template of the adapters, and the tokens that end an answer in it.

    The base model beside them has its own; a folder with merged weights has these itself. Both engines know the names
    of vLLM's options: https://docs.vllm.ai/en/stable/serving/openai_compatible_server/
    """
    if analysis.spec.data.chat_template is None or analysis.spec.script is not None:
        return {}
    return {"chat_template": f"{MODEL_FOLDER}/{SAVED_TEMPLATE}", "generation_config": MODEL_FOLDER}
