"""The environment variables of a serving container, which hold the engine's arguments.

A request names what answers it by its `model`: `candidate` is the trained model, with vLLM's server, and in an A/B test
what the baseline is called; beside adapters the base model has its own id. LMI takes the adapters' name from the body's
`adapters`, or from the header `X-Amzn-SageMaker-Adapter-Identifier` (djl-serving, serving/docs/adapters.md).
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from hbspec.analysis import Analysis
from hbspec.estimators.serving.profiled import batched_tokens
from hbspec.plan import ServingPlan

MODEL_FOLDER = "/opt/ml/model"
BASE_CHANNEL = "base"
BASE_FOLDER = f"/opt/ml/additional-model-data-sources/{BASE_CHANNEL}"
"""Where SageMaker puts another S3 prefix (CreateModel, AdditionalModelDataSource)."""
ADAPTER = "candidate"
SAVED_TEMPLATE = "chat_template.jinja"
"""What transformers calls a tokenizer's template when it saves one (5.23, `CHAT_TEMPLATE_FILE`)."""
AT_LOAD = {"nf4": "bitsandbytes", "fp8": "fp8"}
"""vLLM's names of what it quantises 16-bit weights to while it loads them. Its bitsandbytes gives nf4 alone."""
HANDLER = (
    "CUSTOM_FASTAPI_INVOCATION_HANDLER",
    "vllm.entrypoints.openai.chat_completion.api_router:create_chat_completion",
)
"""The variable that names what answers at `/invocations`, and vLLM's chat completions, which find adapters by `model`.

vLLM's own route there takes adapters by a header of SageMaker's inference components alone: it overwrites the body's
`model`, with null where no header is sent, so that the base model answers (vLLM 0.30,
entrypoints/serve/sagemaker/api_router.py; model-hosting-container-standards 0.1.16, sagemaker/handler_resolver.py).
Other requests than chat completions are then refused.
"""
LMI_NAMES = {
    "tensor_parallel_size": "tensor_parallel_degree",
    "max_num_seqs": "max_rolling_batch_size",
    "max_num_batched_tokens": "max_rolling_batch_prefill_tokens",
    "quantization": "quantize",
}
"""What LMI calls arguments of vLLM; it refuses the first two by vLLM's names."""
LMI_DTYPES = {"bfloat16": "bf16", "float16": "fp16"}


def environment(analysis: Analysis, plan: ServingPlan, start_up: int) -> dict[str, str]:
    """The environment variables of the serving container: engine arguments by the engine's names.

    Args:
        analysis: of the spec.
        plan: the endpoint.
        start_up: seconds that loading may take; LMI has a limit of its own.
    """
    settings = _settings(analysis, plan)
    merged = plan.adapters == "merged"
    model = MODEL_FOLDER if merged else base_place(plan)
    if plan.engine == "vllm":
        if not merged:
            settings["lora_modules"] = json.dumps({"name": plan.answers_to or ADAPTER, "path": MODEL_FOLDER})
        named = {f"SM_VLLM_{key.upper()}": value for key, value in {"model": model, **settings}.items()}
        return named if merged else {**named, HANDLER[0]: HANDLER[1]}
    # The model's folder has the adapters, so that LMI is told of the weights by an option: by HF_MODEL_ID it would
    # load them as a second model beside the folder (djl-serving, ModelStore.java).
    served = {} if merged else {"model_id": model}
    served |= {"rolling_batch": "disable", "async_mode": "true"}
    served |= {"entrypoint": "djl_python.lmi_vllm.vllm_async_service", "model_loading_timeout": str(start_up)}
    settings["dtype"] = LMI_DTYPES[settings["dtype"]]
    named = {LMI_NAMES.get(key, key): value for key, value in settings.items()}
    return {f"OPTION_{key.upper()}": value for key, value in {**served, **named}.items()}


def base_place(plan: ServingPlan) -> str:
    """What the engine is told to load beside adapters: an id of the Hub, or the folder of another S3 prefix."""
    weights = plan.weights or ""
    return BASE_FOLDER if weights.startswith("s3://") else weights


def _settings(analysis: Analysis, plan: ServingPlan) -> dict[str, str]:
    """Arguments by vLLM's names."""
    merged = plan.adapters == "merged"
    settings = {
        "served_model_name": (plan.answers_to or ADAPTER) if merged else _base_name(analysis, plan),
        "tensor_parallel_size": str(plan.tensor_parallel),
        "dtype": plan.dtype,
        "max_num_seqs": str(plan.concurrency),
        "max_num_batched_tokens": str(batched_tokens(plan)),
        "gpu_memory_utilization": str(plan.utilization),
    }
    if plan.architecture is not None and plan.architecture.stateless:
        settings["enable_prefix_caching"] = "true"
    if plan.max_model_len is not None:
        settings["max_model_len"] = str(plan.max_model_len)
    if plan.kv_cache_dtype != "auto":
        settings["kv_cache_dtype"] = plan.kv_cache_dtype
    if analysis.spec.model.revision and not merged and plan.weights == analysis.spec.model.id:
        settings["revision"] = analysis.spec.model.revision
    if plan.quantization in AT_LOAD and plan.stored is None:
        settings["quantization"] = AT_LOAD[plan.quantization]
    if not merged:
        settings |= {"enable_lora": "true", "max_loras": "1", "max_lora_rank": str(plan.max_lora_rank)}
        settings |= _as_trained(analysis)
    return settings


def _base_name(analysis: Analysis, plan: ServingPlan) -> str:
    """What the base model beside adapters is called; another name, where the adapters have its own in an A/B test."""
    name = analysis.spec.model.id or base_place(plan)
    return BASE_CHANNEL if name == plan.answers_to else name


def _as_trained(analysis: Analysis) -> Mapping[str, str]:
    """Where the engine finds the chat template of the adapters, and the tokens that end an answer in it.

    The base model beside them has its own; a folder with merged weights has these itself. Both engines know the names
    of vLLM's options: https://docs.vllm.ai/en/stable/serving/openai_compatible_server/
    """
    if analysis.spec.data.chat_template is None or not analysis.spec.shipped:
        return {}
    return {"chat_template": f"{MODEL_FOLDER}/{SAVED_TEMPLATE}", "generation_config": MODEL_FOLDER}
