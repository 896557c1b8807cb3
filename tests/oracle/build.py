"""The real model of a case, on fake tensors or on real ones, prepared as its trainer prepares it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from copy import deepcopy
from types import MethodType
from typing import Any
from unittest.mock import patch

import bitsandbytes as bnb
import torch
from accelerate.utils.operations import convert_outputs_to_fp32
from peft import LoraConfig, get_peft_model
from peft.tuners.lora import dora
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMultimodalLM,
    AutoModelForSequenceClassification,
    BitsAndBytesConfig,
    PreTrainedModel,
)
from transformers.integrations.bitsandbytes import replace_with_bnb_linear
from transformers.pytorch_utils import Conv1D
from transformers.quantizers.base import get_keys_to_not_convert
from trl.trainer.utils import add_fused_lm_head

from oracle.case import Case

SFT_OUTPUTS = ("log_probs", "entropy", "is_top1")
"""What `SFTTrainer` asks of its head."""


def build(
    case: Case, fake: FakeTensorMode | None, *, rewards: bool = False, outputs: tuple[str, ...] = SFT_OUTPUTS
) -> nn.Module:
    """The model, ready for its first step.

    Args:
        case: what is trained.
        fake: the mode that its tensors belong to; None builds real ones on the CPU.
        rewards: whether its head gives one number a row, as RewardTrainer makes it.
        outputs: what a fused head computes of each token.
    """
    with torch.device("meta") if fake else contextlib.nullcontext():
        config = AutoConfig.for_model(**deepcopy(case.values))
        loaded = case.compute_dtype if case.quantised else case.weights_dtype
        auto = AutoModelForCausalLM if type(config) in MODEL_FOR_CAUSAL_LM_MAPPING else AutoModelForMultimodalLM
        if rewards:
            auto, config.num_labels, config.pad_token_id = AutoModelForSequenceClassification, 1, 0
        model = auto.from_config(config, dtype=getattr(torch, loaded), attn_implementation=case.attention)
    if case.quantised:
        _quantise(model, case, fake)
    with fake or contextlib.nullcontext(), _replaceable() if fake else contextlib.nullcontext():
        if fake:
            _materialise(model)
        with patch.object(dora, "dequantize_module_weight", dequantised):
            return _prepare(model, case, "SEQ_CLS" if rewards else "CAUSAL_LM", outputs)


def is_quantised(parameter: Tensor) -> bool:
    """Whether a parameter holds packed 4-bit or 8-bit numbers."""
    return getattr(parameter, "quant_state", None) is not None or parameter.dtype == torch.int8


def _quantise(model: PreTrainedModel, case: Case, fake: FakeTensorMode | None) -> None:
    four_bit = {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": case.quantization,
        "bnb_4bit_use_double_quant": case.double_quant,
        "bnb_4bit_compute_dtype": getattr(torch, case.compute_dtype),
    }
    config = BitsAndBytesConfig(**({"load_in_8bit": True} if case.quantization == "int8" else four_bit))
    linear = {name: _linear(module) for name, module in model.named_modules() if type(module) in (nn.Linear, Conv1D)}
    replace_with_bnb_linear(model, get_keys_to_not_convert(model), config)
    # a real call first: the table of 8-bit codes is made from real numbers and then cached
    bnb.functional.quantize_4bit(torch.zeros(64, 64), compress_statistics=True, quant_type="nf4")
    for name, module in model.named_modules():
        if isinstance(module, bnb.nn.Linear4bit):
            _load_4bit(module, linear[name], fake)
        elif isinstance(module, bnb.nn.Linear8bitLt):
            _load_8bit(module, linear[name], fake)
    model.is_quantized = True
    model.is_loaded_in_4bit, model.is_loaded_in_8bit = case.quantization != "int8", case.quantization == "int8"
    model.config.quantization_config, model.quantization_method = config, "bitsandbytes"


def _linear(module: nn.Module) -> nn.Linear:
    """The module, or the linear one that a `Conv1D` is with its weight turned around, as it is loaded."""
    if isinstance(module, nn.Linear):
        return module
    columns, rows = module.weight.shape
    turned = nn.Linear(columns, rows, device="meta", dtype=module.weight.dtype)
    turned.weight = nn.Parameter(module.weight.data.T.contiguous(), requires_grad=False)
    turned.bias = module.bias
    return turned


def _load_4bit(module: nn.Module, source: nn.Linear, fake: FakeTensorMode | None) -> None:
    module.support_avx512bf16_for_cpu = False  # some CPUs would repack the weight where the model does not train
    given = {key: value for key, value in module.weight.__dict__.items() if key != "module"}
    if fake is None:
        module.weight = bnb.nn.Params4bit(source.weight.data, requires_grad=False, **given, module=module).to("cpu")
    else:
        # `Params4bit` refuses fakes: a plain parameter with the state that bitsandbytes' own fake kernels produce
        with fake:
            packed, state = bnb.functional.quantize_4bit(
                torch.empty(source.weight.shape, dtype=source.weight.dtype, device="cpu"),
                blocksize=module.weight.blocksize,
                compress_statistics=module.weight.compress_statistics,
                quant_type=module.weight.quant_type,
            )
            weight = nn.Parameter(packed, requires_grad=False)
        weight.__dict__.update(given)
        weight.quant_state, weight.bnb_quantized = state, True
        module.quant_state = state
        _put(module, weight)
    _put_bias(module, source)


def _load_8bit(module: nn.Module, source: nn.Linear, fake: FakeTensorMode | None) -> None:
    if fake is None:
        module.weight = bnb.nn.Int8Params(source.weight.data, requires_grad=False, has_fp16_weights=False).to("cpu")
    else:
        with fake:
            weight = nn.Parameter(torch.empty(source.weight.shape, dtype=torch.int8, device="cpu"), requires_grad=False)
            weight.CB, weight.SCB = weight.data, torch.empty(source.weight.shape[0], dtype=torch.float32, device="cpu")
        weight.has_fp16_weights = False
        _put(module, weight)
    _put_bias(module, source)


def _put(module: nn.Module, weight: nn.Parameter) -> None:
    del module._parameters["weight"]
    module._parameters["weight"] = weight


def _put_bias(module: nn.Module, source: nn.Linear) -> None:
    if source.bias is not None:
        module.bias = nn.Parameter(source.bias.data, requires_grad=False)


def dequantised(module: nn.Module) -> Tensor:
    """`peft.utils.integrations.dequantize_module_weight`, which knows quantised weights by a class fakes lack."""
    weight: Tensor = module.weight
    state = getattr(weight, "quant_state", None)
    if state is not None:
        return bnb.functional.dequantize_4bit(weight.data, state)
    if weight.dtype == torch.int8:
        return bnb.functional.int8_vectorwise_dequant(
            weight.data, module.state.SCB if module.state.SCB is not None else weight.SCB
        )
    return weight


def _materialise(model: nn.Module) -> None:
    """Fakes on the CPU in place of what is on "meta"; tied parameters stay one."""
    made: dict[int, nn.Parameter] = {}
    for module in model.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None and parameter.device.type == "meta":
                if id(parameter) not in made:
                    empty = torch.empty(parameter.shape, dtype=parameter.dtype, device="cpu")
                    made[id(parameter)] = nn.Parameter(empty, parameter.requires_grad)
                module._parameters[name] = made[id(parameter)]
        for name, buffer in module._buffers.items():
            if buffer is not None and buffer.device.type == "meta":
                module._buffers[name] = torch.empty(buffer.shape, dtype=buffer.dtype, device="cpu")


def _prepare(model: PreTrainedModel, case: Case, kind: str, outputs: tuple[str, ...]) -> nn.Module:
    beside = beside_language_model(model)
    for name in beside:
        model.get_submodule(name).requires_grad_(False)
    if case.adapters:
        for parameter in model.parameters():
            parameter.requires_grad_(False)
            # what peft.prepare_model_for_kbit_training does; it tells 4-bit weights by a class that fakes do not have
            if case.quantised and case.weights_dtype == "float32" and not is_quantised(parameter):
                parameter.data = parameter.data.to(torch.float32)
    if case.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": case.use_reentrant})
    prepared: nn.Module = model
    if case.adapters:
        prepared = get_peft_model(
            model,
            LoraConfig(
                r=case.lora_r,
                lora_alpha=2 * case.lora_r,
                lora_dropout=case.lora_dropout,
                target_modules=_names(case.target_modules),
                exclude_modules=rf"({'|'.join(beside)})\..*" if beside else None,
                modules_to_save=_names(case.modules_to_save) if case.modules_to_save else None,
                use_dora=case.use_dora,
                use_rslora=case.use_rslora,
                task_type=kind,
            ),
        )
        for name, parameter in prepared.named_parameters():
            # as TRL's SFTTrainer does for a quantised model; peft itself leaves adapters in float32
            halved = case.adapter_dtype != "float32" and "lora_magnitude_vector" not in name
            if parameter.requires_grad and halved:
                parameter.data = parameter.data.to(getattr(torch, case.adapter_dtype))
        _rejoin(prepared)
        if case.gradient_checkpointing:
            prepared.enable_input_require_grads()
    if case.loss == "fused":
        add_fused_lm_head(model, outputs=outputs)
    prepared.train()
    model.config.use_cache = False
    if case.autocast:
        _autocast(prepared, getattr(torch, case.compute_dtype))
    return prepared


def beside_language_model(model: PreTrainedModel) -> list[str]:
    """The tower of a wrapper and its projector, which the shipped script leaves frozen and without adapters."""
    inner = ("language_model", "text_model")
    if model.base_model is model or not any(hasattr(model.base_model, name) for name in inner):
        return []
    return [f"model.{name}" for name, _ in model.base_model.named_children() if name not in inner]


def _rejoin(model: nn.Module) -> None:
    """A deep copy of a fake, as of `modules_to_save`, has one storage and its views another: make a new one."""
    for module in model.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None and parameter.untyped_storage()._cdata != parameter.data.untyped_storage()._cdata:
                module._parameters[name] = nn.Parameter(torch.empty_like(parameter.data), parameter.requires_grad)


def _autocast(model: nn.Module, dtype: torch.dtype) -> None:
    """What `accelerate.Accelerator.prepare_model` does to `forward` for `bf16` and `fp16`."""
    forward = model.forward
    function = getattr(forward, "__func__", None)
    if function is None:
        model.forward = convert_outputs_to_fp32(torch.autocast("cpu", dtype=dtype)(forward))
    else:
        model.forward = MethodType(torch.autocast("cpu", dtype=dtype)(function), model)
        model.forward = MethodType(convert_outputs_to_fp32(model.forward.__func__), model)


def _names(text: str) -> str | list[str]:
    return text if text == "all-linear" else text.split("+")


@contextlib.contextmanager
def _replaceable() -> Iterator[None]:
    """`nn.Module._apply` cannot swap fake parameters that something refers to: replace them instead."""

    def apply(module: nn.Module, change: Any, recurse: bool = True) -> nn.Module:
        for child in module.children() if recurse else ():
            child._apply(change)
        for name, parameter in module._parameters.items():
            if parameter is not None:
                changed = change(parameter.data)
                if changed is not parameter.data:
                    module._parameters[name] = nn.Parameter(changed, parameter.requires_grad)
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = change(buffer)
        return module

    with patch.object(nn.Module, "_apply", apply):
        yield
