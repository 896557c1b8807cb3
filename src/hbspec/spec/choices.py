"""Values that keys of several sections choose from."""

from typing import Literal

Parallelism = Literal["single", "ddp", "pipeline", "fsdp", "zero1", "zero2", "zero3"]
Method = Literal["qlora", "lora", "full"]
Dtype = Literal["float32", "bfloat16", "float16"]
Quantization = Literal["none", "nf4", "fp4", "int8", "awq", "gptq", "fp8"]
Attention = Literal[
    "eager",
    "sdpa",
    "flash_attention_2",
    "flash_attention_3",
    "flex_attention",
    "kernels-community/flash-attn2",
    "kernels-community/flash-attn3",
    "kernels-community/vllm-flash-attn3",
]
Loss = Literal["standard", "in_place", "in_place_shifted", "chunked", "fused"]
Trainer = Literal["trl", "transformers", "litgpt", "loop", "axolotl", "llamafactory", "torchtune", "unsloth", "other"]
FRAMEWORKS = ("axolotl", "llamafactory", "torchtune", "unsloth", "other")
"""Trainers that are programs of their own: none of them runs in the shipped script."""
