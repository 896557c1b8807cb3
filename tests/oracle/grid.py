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
REENTRANT = (
    "toy-qwen2",
    "toy-qwen2,method=qlora,quantization=int8",
    "toy-qwen2,method=qlora,weights_dtype=float32,batch=2,tokens=512",
    "toy-llama,method=full,autocast=false,gradient_accumulation=4",
    "toy-llama,method=full,weights_dtype=float32",
    "qwen2.5-7b,layers=4,vocab_size=1024,method=lora,tokens=2048",
    "mistral-7b,layers=4,method=qlora,tokens=2048,adapter_dtype=bfloat16,loss=fused",
    "mistral-7b,layers=4,method=qlora,quantization=int8,vocab_size=1024,tokens=2048",
    "qwen3-0.6b,layers=3,method=full,autocast=false,attention=eager",
    "gemma2-2b,layers=3,attention=eager,method=lora,vocab_size=1024",
    "mixtral-8x7b,layers=2,lora_dropout=0.0,method=qlora,tokens=512",
)
"""As transformers 4 checkpoints by itself."""

FULL_VARIANTS = (
    "gradient_accumulation=2",
    "optim=adamw_torch_fused",
    "optim=adamw_bnb_8bit",
    "attention=eager",
    "batch=4,padding=200",
    "weights_dtype=float32,optim=adamw_torch_fused",
)
WITHOUT_OUT = "target_modules=in_proj+q_proj+k_proj+v_proj+o_proj+gate_proj+up_proj+down_proj"
"""Targets of models in which peft 0.21 refuses `out_proj`, and with it all-linear."""

FURTHER = (
    "gemma-2b,layers=2",
    "granite3-2b,layers=2",
    "smollm3-3b,layers=4",
    "olmo2-7b,layers=2",
    "olmo3-7b,layers=4",
    "ministral3-8b,layers=2",
    "glm4-9b,layers=2",
    "exaone4-32b,layers=4",
    "ernie4.5-0.3b,layers=3",
    "hunyuan-7b,layers=2",
    "aya-8b,layers=2",
    "command-r7b,layers=4",
    "afm-4.5b,layers=2",
    "apertus-8b,layers=2",
    "seed-oss-36b,layers=2",
    "pythia-1.4b,layers=2",
    "phi-2,layers=2",
    "stablelm-3b,layers=2",
    "starcoder2-7b,layers=2",
    "falcon-7b,layers=2",
    "falcon-40b,layers=2",
    "opt-1.3b,layers=2",
    "gpt2-xl,layers=2",
    "qwen1.5-moe,layers=2,lora_dropout=0.0",
    "olmoe-1b-7b,layers=2,lora_dropout=0.0",
    "granite3-1b-a400m,layers=2,lora_dropout=0.0",
    "minimax-m2.5,layers=2,lora_dropout=0.0",
    "glm4.5-air,layers=3,lora_dropout=0.0",
    "qwen3.5-4b,layers=4",
    "qwen3.5-35b-a3b,layers=4,lora_dropout=0.0",
    "qwen3-next-80b,layers=4,lora_dropout=0.0",
    "dbrx,layers=2",
    "gemma4-31b,layers=2",
    "gemma4-26b-a4b,layers=2",
    "deepseek-v3,layers=4,lora_dropout=0.0",
    "deepseek-v2-lite,layers=2,lora_dropout=0.0",
    "granite4-h-350m",
    "granite4-h-tiny,lora_dropout=0.0",
    "lfm2-1.2b",
    f"falcon-h1-7b,layers=2,{WITHOUT_OUT}",
)
"""Families that differ from those by a trait: their layers are traced, not every way to train them."""

FURTHER_RECIPES = (
    "method=lora,batch=2,tokens=1536",
    "method=full,autocast=false,vocab_size=1024,tokens=512,gradient_checkpointing=false",
    "method=qlora,weights_dtype=float32,vocab_size=1024,batch=2,gradient_checkpointing=false",
)
WAYS = (
    "method=lora,batch=2,padding=100,tokens=512,gradient_checkpointing=false",
    "method=lora,batch=2,packing=true",
    "method=lora,attention=eager",
    "method=qlora,adapter_dtype=bfloat16,loss=fused,tokens=2048",
    "method=full,tokens=512,gradient_checkpointing=false",
    "method=full,autocast=false,use_reentrant=true",
    "method=lora,modules_to_save=norm+lm_head,tokens=512",
)
"""What layers that share little with others are trained with beside those."""

APART = (
    "toy-qwen3.5",
    "toy-gemma4-moe",
    "toy-deepseek-v3,lora_dropout=0.0",
    "toy-deepseek-v2,lora_dropout=0.0",
    "toy-granite4",
    "toy-granite4-moe,lora_dropout=0.0",
    "toy-lfm2",
    f"toy-falcon-h1,{WITHOUT_OUT}",
)
"""Such layers: linear attention, which goes through a row chunk by chunk; experts beside an MLP, heads of two kinds;
attention with a latent; a state space, instead of attention or beside it; a short convolution."""

WRAPPED = (
    "toy-gemma3-vision",
    "toy-mistral3",
    "toy-qwen2-vl",
    "toy-qwen2.5-vl",
    "toy-qwen3-vl",
    "toy-qwen3-vl-moe,lora_dropout=0.0",
    "toy-glm4v",
    "toy-voxtral",
    "toy-llava",
    "toy-llava-next",
    "toy-idefics3",
    "toy-smolvlm",
    "toy-internvl",
    "toy-gemma4-vision",
    "toy-gemma4-unified",
    "gemma3-4b-vision,layers=2",
    "qwen3-vl-8b,layers=2",
)
"""Language models inside wrappers, with the tower loaded and frozen beside them."""

WRAPPED_RECIPES = (
    "method=lora,batch=2,tokens=512",
    "method=full,autocast=false,tokens=512,gradient_checkpointing=false",
    "method=qlora,weights_dtype=float32,batch=2,padding=100,tokens=512,gradient_checkpointing=false",
    "method=qlora,adapter_dtype=bfloat16,loss=fused,tokens=2048",
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
        "toy-qwen3.5,method=full,tokens=256,autocast=false",
        "toy-dbrx,tokens=256,autocast=false,layers=2",
        "toy-gemma4,method=full,tokens=256,autocast=false",
        "toy-deepseek-v3,tokens=256,lora_dropout=0.0",
        "toy-deepseek-v2,tokens=256,method=full,autocast=false",
        "toy-gemma4-moe,tokens=256,method=qlora,weights_dtype=float32",
        "toy-granite4,method=full,tokens=256,autocast=false",
        "toy-lfm2,tokens=256",
        "toy-falcon-h1,method=full,tokens=256,autocast=false",
        f"toy-falcon-h1-normed,tokens=256,{WITHOUT_OUT}",
    ]
    layers += [f"{case},use_reentrant=true" for case in REENTRANT if case.startswith("toy-")]
    return _cases(layers)


def whole() -> list[Case]:
    """The grid, the fast part and full depth included."""
    return list(
        dict.fromkeys(
            [
                *fast(),
                *_crossed(),
                *_varied(),
                *_cases(list(DEEP)),
                *_reentrant(),
                *_further(),
                *_apart(),
                *_wrapped(),
            ]
        )
    )


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


def _reentrant() -> list[Case]:
    return _cases([f"{case},use_reentrant=true" for case in REENTRANT])


def _further() -> list[Case]:
    return _cases([f"{family},{recipe}" for family in FURTHER for recipe in FURTHER_RECIPES])


def _apart() -> list[Case]:
    return _cases([f"{model},{recipe}" for model in APART for recipe in WAYS])


def _wrapped() -> list[Case]:
    return _cases([f"{wrapper},{recipe}" for wrapper in WRAPPED for recipe in WRAPPED_RECIPES])


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
