"""The cases: a fast part that the tests trace again, and the whole grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from oracle.case import Case, parse

RECIPES = (
    "method=lora",
    "method=lora,adapter_dtype=bfloat16,autocast=false",
    "method=qlora,adapter_dtype=bfloat16,loss=fused",
    "method=qlora,weights_dtype=float32",
    "method=qlora,autocast=false",
    "method=full,autocast=false",
    "method=full,weights_dtype=float32",
    "method=full,loss=fused",
)
"""What people run: LoRA as both trainers leave it and in pure 16 bits; QLoRA under TRL, under the plain Trainer after
k-bit preparation, and with neither; full fine-tunes in pure 16 bits, with fp32 weights, and of 16-bit weights under
autocast."""

FAMILIES = (
    "qwen2.5-0.5b",
    "qwen2.5-7b",
    "llama3-8b",
    "llama3.2-1b",
    "mistral-7b",
    "qwen3-0.6b",
    "qwen3-8b",
    "phi3-mini",
    "gemma2-2b,attention=eager",
    "gemma3-1b",
    "qwen3-30b-a3b,lora_dropout=0.0",
    "mixtral-8x7b,lora_dropout=0.0",
    "gpt-oss-20b,attention=eager",
    "llama4-scout,target_modules=q_proj+k_proj+v_proj+o_proj+gate_proj+up_proj+down_proj",
)
"""Real widths. transformers 5.23 refuses sdpa for Gemma 2 and GPT-OSS; peft 0.21 refuses dropout on fused experts and
fails on Llama 4's router, which all-linear would adapt."""

NO_FUSED_HEAD = FAMILIES[-1:]
"""TRL 1.16's head looks for the layers of Llama 4 where transformers 5.23 does not have them."""

SHAPES = ("tokens=512", "tokens=2048", "batch=4,tokens=1024", "batch=2,tokens=1536")
VOCABULARIES = ("", "vocab_size=1024")
"""With a small vocabulary the layers, not the loss, need most."""

VARIANTS = (
    "lora_dropout=0.0",
    "lora_r=64",
    "lora_r=8,target_modules=q_proj+v_proj",
    "target_modules=gate_proj+up_proj+down_proj",
    "modules_to_save=lm_head",
    "modules_to_save=embed_tokens+lm_head",
    "use_dora=true",
    "use_rslora=true",
    "attention=eager",
    "batch=4,padding=200",
    "batch=2,packing=true",
    "gradient_accumulation=4",
    "optim=adamw_torch_fused",
    "optim=adamw_bnb_8bit",
    "compute_dtype=float16,weights_dtype=float16",
)
QUANTISED = (
    "quantization=int8",
    "quantization=fp4",
    "double_quant=false",
    "use_dora=true,autocast=false",
    "quantization=int8,weights_dtype=float32",
)
FULL_VARIANTS = (
    "gradient_accumulation=2",
    "optim=adamw_torch_fused",
    "optim=adamw_bnb_8bit",
    "attention=eager",
    "batch=4,padding=200",
    "weights_dtype=float32,optim=adamw_torch_fused",
)
DEEP = (
    "qwen2.5-0.5b,method=full,autocast=false,tokens=4096",
    "qwen2.5-7b,method=qlora,adapter_dtype=bfloat16,loss=fused,tokens=4096",
    "qwen2.5-7b,method=full,autocast=false",
    "llama3-8b,method=lora,tokens=4096",
    "llama3-8b,method=qlora,weights_dtype=float32,tokens=2048,batch=2",
    "mistral-7b,method=lora,gradient_checkpointing=false",
    "qwen3-8b,method=qlora,adapter_dtype=bfloat16,loss=fused,batch=4",
    "gemma3-1b,method=full,autocast=false",
    "r1-32b,method=qlora,adapter_dtype=bfloat16,loss=fused,tokens=4096",
    "r1-32b,method=qlora,weights_dtype=float32,tokens=4096",
)


def fast() -> list[Case]:
    """Small cases of every mechanism and family."""
    layers = [f"toy-qwen2,{recipe}" for recipe in RECIPES]
    layers += [f"toy-llama,{recipe},gradient_checkpointing=false,batch=2,tokens=512" for recipe in RECIPES]
    layers += [f"toy-qwen2,tokens=512,{variant}" for variant in VARIANTS]
    layers += [f"toy-qwen2,method=qlora,{variant}" for variant in QUANTISED]
    layers += [
        "toy-qwen3",
        "toy-mistral,method=qlora,adapter_dtype=bfloat16,loss=fused",
        "toy-phi3,method=qlora,weights_dtype=float32",
        "toy-gemma2,attention=eager,method=qlora,adapter_dtype=bfloat16,loss=fused",
        "toy-gemma3,method=full,autocast=false",
        "toy-qwen3-moe,lora_dropout=0.0",
        "toy-mixtral,lora_dropout=0.0,method=qlora,weights_dtype=float32",
        "toy-gpt-oss,attention=eager,method=full,autocast=false",
        "toy-llama4,target_modules=q_proj+k_proj+v_proj+o_proj",
    ]
    return _cases(layers)


def whole() -> list[Case]:
    """The grid, the fast part and full depth included."""
    return list(dict.fromkeys([*fast(), *_crossed(), *_varied(), *_cases(list(DEEP))]))


def _crossed() -> Iterator[Case]:
    """Families, recipes and checkpointing crossed; lengths and vocabularies taken in turn."""
    turn = count()
    for family in FAMILIES:
        for recipe in RECIPES:
            for checkpointing in ("true", "false"):
                number = next(turn)
                said = [family, "layers=2", recipe, f"gradient_checkpointing={checkpointing}"]
                # steps that share no factor with how the loops repeat, so that every pair meets
                said += [SHAPES[(number + number // 8) % 4], VOCABULARIES[(number // 2 + number // 16) % 2]]
                case = parse(",".join(part for part in said if part))
                yield replace(case, loss="standard") if family in NO_FUSED_HEAD else case


def _varied() -> Iterator[Case]:
    for base, variants in (
        ("qwen2.5-7b,layers=2,vocab_size=1024,method=lora", VARIANTS),
        ("llama3-8b,layers=2,vocab_size=1024,method=lora,gradient_checkpointing=false", VARIANTS),
        ("llama3.2-1b,layers=3,method=qlora,adapter_dtype=bfloat16,loss=fused", (*VARIANTS[:5], *VARIANTS[6:])),
        ("mistral-7b,layers=2,method=qlora,tokens=2048", QUANTISED),
        ("qwen2.5-7b,layers=2,method=qlora,vocab_size=1024,gradient_checkpointing=false", QUANTISED),
        ("qwen2.5-0.5b,layers=3,method=full,autocast=false", FULL_VARIANTS),
        ("qwen3-0.6b,layers=3,method=full,autocast=false,gradient_checkpointing=false", FULL_VARIANTS),
    ):
        for variant in variants:
            yield parse(f"{base},{variant}")


def _cases(texts: list[str]) -> list[Case]:
    return [parse(text) for text in texts]
