"""One case: what is trained, how, and in which dtypes. Each field is one of `hbspec.plan.training.Training`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import yaml

from oracle.shapes import CONFIGS


@dataclass(frozen=True, slots=True)
class Case:
    """A training step.

    Attributes:
        model: a name in `CONFIGS`.
        config: fields of the model's config that differ from those.
        weights_dtype: of what is not quantised; float32 for QLoRA means peft's k-bit preparation.
        autocast: whether accelerate wraps the forward pass, as it does for `bf16` and `fp16`.
        padding: tokens missing from every second row.
        gradient_accumulation: above 1 the second micro-batch is traced, which finds gradients of the first.
    """

    model: str
    method: str = "lora"
    config: tuple[tuple[str, Any], ...] = ()
    quantization: str = "nf4"
    double_quant: bool = True
    compute_dtype: str = "bfloat16"
    weights_dtype: str = "bfloat16"
    adapter_dtype: str = "float32"
    autocast: bool = True
    lora_r: int = 16
    lora_dropout: float = 0.05
    target_modules: str = "all-linear"
    modules_to_save: str = ""
    use_dora: bool = False
    use_rslora: bool = False
    gradient_checkpointing: bool = True
    use_reentrant: bool = False
    attention: str = "sdpa"
    batch: int = 1
    tokens: int = 1024
    padding: int = 0
    packing: bool = False
    loss: str = "standard"
    gradient_accumulation: int = 1
    optim: str = "adamw_torch"

    @property
    def text(self) -> str:
        """The case as `parse` reads it: the model, then what differs from the defaults."""
        said = [f"{key}={_scalar(value)}" for key, value in self.config]
        said += [
            f"{field.name}={_scalar(getattr(self, field.name))}"
            for field in fields(self)
            if field.name not in ("model", "config") and getattr(self, field.name) != field.default
        ]
        return ",".join([self.model, *said])

    @property
    def adapters(self) -> bool:
        """Whether adapters are trained and the base is frozen."""
        return self.method != "full"

    @property
    def quantised(self) -> bool:
        """Whether the linear layers of the base are stored in 4 or 8 bits."""
        return self.method == "qlora"

    @property
    def scored(self) -> int:
        """Positions with a label: all but the first of each row, and no padding."""
        padded = self.batch // 2 if self.padding else 0
        return self.batch * (self.tokens - 1) - padded * self.padding

    @property
    def values(self) -> dict[str, Any]:
        """The model's config."""
        model, changed = CONFIGS[self.model], dict(self.config)
        inner = model.get("text_config")
        return {**model, **changed} if inner is None else {**model, "text_config": {**inner, **changed}}

    @property
    def looped_experts(self) -> int:
        """Experts that run one after another; 0 where there are none, or where all are one product."""
        number: int = self.values.get("ffn_config", {}).get("moe_num_experts", 0)
        return number

    @property
    def vocabulary(self) -> int:
        """Rows of the embedding."""
        size: int = self.values.get("text_config", self.values)["vocab_size"]
        return size


def parse(text: str) -> Case:
    """A case from `model,key=value,…`; a key that is no field of `Case` is one of the model's config.

    Several names are written with plus signs: `target_modules=q_proj+v_proj`; `layers` is `num_hidden_layers`.
    """
    model, *said = text.split(",")
    known = {field.name for field in fields(Case)}
    given: dict[str, Any] = {}
    config: dict[str, Any] = {}
    for item in said:
        key, _, value = item.partition("=")
        key = {"layers": "num_hidden_layers", "method": "method", "r": "lora_r"}.get(key, key)
        (given if key in known else config)[key] = yaml.safe_load(value)
    return Case(model, config=tuple(config.items()), **given)


def _scalar(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
