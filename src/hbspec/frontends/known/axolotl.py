"""axolotl 0.19.0: its name, its keys, and the plugins whose keys are known."""

from __future__ import annotations

from hbspec.frontends.reading.influence import SHARED, ProgramKeys, influences
from hbspec.frontends.reading.pinned import pinned, title

PROGRAM = "axolotl"
PLUGINS = (
    *("cut_cross_entropy", "liger", "kernels", "spectrum", "kd.", "llm_compressor", "lm_eval", "diffusion", "swanlab"),
    *("densemixer", "expert_parallel", "grokfast", "hatchery", "mora", "nemo_gym"),
)
"""Folders of `integrations`, each of which does what its keys say."""

LIGER_TYPES = frozenset(
    (
        *("cohere_compass", "deepseek_v2", "deepseek_v4", "exaone4", "falcon_h1", "gemma", "gemma2", "gemma3"),
        *("gemma3_text", "gemma4", "gemma4_text", "gemma4_unified", "gemma4_unified_text", "glm4", "glm4v"),
        *("glm4v_moe", "gpt_oss", "granite", "granitemoe", "hunyuan_v1_dense", "hunyuan_v1_moe", "internvl", "jamba"),
        *("llama", "llama4", "llama4_text", "llava", "ministral", "ministral3", "mistral", "mistral3", "mixtral"),
        *("mllama", "mllama_text_model", "muse_glimmer", "nemotron", "olmo2", "olmo3", "paligemma", "phi3"),
        *("pixtral", "qwen2", "qwen2_5_vl", "qwen2_5_vl_text", "qwen2_vl", "qwen2_vl_text", "qwen3", "qwen3_5"),
        *("qwen3_5_moe", "qwen3_5_moe_text", "qwen3_5_text", "qwen3_moe", "qwen3_next", "qwen3_vl", "qwen3_vl_moe"),
        *("qwen3_vl_moe_text", "qwen3_vl_text", "smollm3", "smolvlm"),
    )
)
"""Types that get Liger's kernels; for others axolotl warns that Liger is not applied (`integrations/liger/plugin.py`,
and `MODEL_TYPE_TO_APPLY_LIGER_FN` in `transformers/monkey_patch.py` of liger-kernel 0.8.1, which axolotl asks for)."""


def fields() -> ProgramKeys:
    """The keys of axolotl, and what they influence."""
    known = frozenset(pinned(PROGRAM)["fields"])
    return ProgramKeys(title(PROGRAM, "axolotl"), known, influences(SHARED, PROGRAM))
