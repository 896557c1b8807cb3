"""Which architecture a measurement's model has: the catalog's, or one of a table of public config.json values.

The table has what the catalog does not ship. Its source is each model's own `config.json` on the Hugging Face Hub.
Models whose family hbspec does not know are described by the nearest family it knows only where that gives the same
tensors up to norms: Qwen 1 (qwen2: the same layer, its `intermediate_size` counts gate and up together), Gemma 1 and
ChatGLM (llama). Layers without a gate in their MLP have other activations: a layer with one and as many weights stands
for them where time is meant, and memory is not scored.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from hbspec.catalog import Architecture, catalog
from hbspec.catalog.parameters import total_parameters

TOLERANCE = 0.05
"""How far the parameters that a row states may lie from those counted before the model is taken to be another."""


POSITIONS = 0.12
"""The same for models with learned positions, which are not counted."""


class Shape(NamedTuple):
    """The sizes of one config.json: hidden, intermediate, layers, heads, key-value heads, vocabulary."""

    model_type: str
    hidden: int
    intermediate: int
    layers: int
    heads: int
    key_value_heads: int
    vocabulary: int
    head_dim: int | None = None
    tied: bool = False
    experts: int = 0

    @property
    def config(self) -> dict[str, object]:
        """As config.json has it."""
        return {
            "model_type": self.model_type,
            "hidden_size": self.hidden,
            "intermediate_size": self.intermediate,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.key_value_heads,
            "vocab_size": self.vocabulary,
            "max_position_embeddings": 131072,
            "tie_word_embeddings": self.tied,
            **({"head_dim": self.head_dim} if self.head_dim else {}),
            **({"num_local_experts": self.experts} if self.experts else {}),
        }


UNGATED = r"phi-?[12]|falcon(?!-?3)|mpt|opt-|pythia|gpt|bloom|santacoder|starcoder|stablelm-(base|tuned)|t5|bert"
"""Families whose MLP is two matrices with a GELU or ReLU between them."""

SHAPES: tuple[tuple[str, Shape], ...] = (
    (r"tiny-?llama", Shape("llama", 2048, 5632, 22, 32, 4, 32000)),
    (r"open-?llama-3b", Shape("llama", 3200, 8640, 26, 32, 32, 32000)),
    (r"smollm\d?-135m", Shape("llama", 576, 1536, 30, 9, 3, 49152, tied=True)),
    (r"smollm\d?-360m", Shape("llama", 960, 2560, 32, 15, 5, 49152, tied=True)),
    (r"smollm\d?-1\.7b", Shape("llama", 2048, 8192, 24, 32, 32, 49152, tied=True)),
    (r"falcon-?3-1b", Shape("llama", 2048, 8192, 18, 8, 4, 131072, 256)),
    (r"falcon-?3-3b", Shape("llama", 3072, 9216, 22, 12, 4, 131072, 256)),
    (r"falcon-?3-7b", Shape("llama", 3072, 23040, 28, 12, 4, 131072, 256)),
    (r"falcon-?3-10b", Shape("llama", 3072, 23040, 40, 12, 4, 131072, 256)),
    (r"code-?llama-?7b", Shape("llama", 4096, 11008, 32, 32, 32, 32016)),
    (r"code-?llama-?13b", Shape("llama", 5120, 13824, 40, 40, 40, 32016)),
    (r"code-?llama-?34b", Shape("llama", 8192, 22016, 48, 64, 8, 32000)),
    (r"code-?llama-?70b", Shape("llama", 8192, 28672, 80, 64, 8, 32016)),
    (r"llama-?3\.2-?1b", Shape("llama", 2048, 8192, 16, 32, 8, 128256, 64, tied=True)),
    (r"llama-?3\.2-?3b", Shape("llama", 3072, 8192, 28, 24, 8, 128256, 128, tied=True)),
    (r"llama-?3(\.\d)?-?8b", Shape("llama", 4096, 14336, 32, 32, 8, 128256)),
    (r"llama-?3(\.\d)?-?70b", Shape("llama", 8192, 28672, 80, 64, 8, 128256)),
    (r"llama-?3(\.\d)?-?405b", Shape("llama", 16384, 53248, 126, 128, 8, 128256)),
    (r"llama-?2?-?70b", Shape("llama", 8192, 28672, 80, 64, 8, 32000)),
    (r"llama-?65b", Shape("llama", 8192, 22016, 80, 64, 64, 32000)),
    (r"llama-?3[03]b|vicuna-?33b", Shape("llama", 6656, 17920, 60, 52, 52, 32000)),
    (r"(llama-?2?|vicuna)-?13b", Shape("llama", 5120, 13824, 40, 40, 40, 32000)),
    (r"(llama-?2?|vicuna|alpaca)-?7b", Shape("llama", 4096, 11008, 32, 32, 32, 32000)),
    (r"yi-?(1\.5-?)?6b", Shape("llama", 4096, 11008, 32, 32, 4, 64000)),
    (r"yi-?(1\.5-?)?9b", Shape("llama", 4096, 11008, 48, 32, 4, 64000)),
    (r"yi-?(1\.5-?)?34b", Shape("llama", 7168, 20480, 60, 56, 8, 64000)),
    (r"deepseek-coder-1\.3b", Shape("llama", 2048, 5504, 24, 16, 16, 32256)),
    (r"deepseek-coder-(6\.7b|7b)", Shape("llama", 4096, 11008, 32, 32, 32, 32256)),
    (r"deepseek-coder-33b", Shape("llama", 7168, 19200, 62, 56, 8, 32256)),
    (r"deepseek-llm-7b", Shape("llama", 4096, 11008, 30, 32, 32, 102400)),
    (r"deepseek-llm-67b", Shape("llama", 8192, 22016, 95, 64, 8, 102400)),
    (r"internlm2[\w.-]*7b", Shape("llama", 4096, 14336, 32, 32, 8, 92544)),
    (r"internlm2[\w.-]*20b", Shape("llama", 6144, 16384, 48, 48, 8, 92544)),
    (r"baichuan2[\w.-]*7b", Shape("llama", 4096, 11008, 32, 32, 32, 125696)),
    (r"baichuan2[\w.-]*13b", Shape("llama", 5120, 13696, 40, 40, 40, 125696)),
    (r"chatglm[23]-6b", Shape("llama", 4096, 13696, 28, 32, 2, 65024)),
    (r"glm-?4-9b", Shape("llama", 4096, 13696, 40, 32, 2, 151552)),
    (r"stablelm-3b-4e1t", Shape("llama", 2560, 6912, 32, 32, 32, 50304)),
    (r"olmo-?7b", Shape("llama", 4096, 11008, 32, 32, 32, 50304)),
    (r"gemma-2b", Shape("llama", 2048, 16384, 18, 8, 1, 256000, 256, tied=True)),
    (r"gemma-7b", Shape("llama", 3072, 24576, 28, 16, 16, 256000, 256, tied=True)),
    (r"gemma-?2-2b", Shape("gemma2", 2304, 9216, 26, 8, 4, 256000, 256, tied=True)),
    (r"mixtral-8x22b", Shape("mixtral", 6144, 16384, 56, 48, 8, 32000, experts=8)),
    (r"mixtral", Shape("mixtral", 4096, 14336, 32, 32, 8, 32000, experts=8)),
    (r"mistral-nemo", Shape("mistral", 5120, 14336, 40, 32, 8, 131072, 128)),
    (r"mistral-7b[\w.-]*v0\.3", Shape("mistral", 4096, 14336, 32, 32, 8, 32768)),
    (r"(mistral|zephyr)-7b", Shape("mistral", 4096, 14336, 32, 32, 8, 32000)),
    (r"qwen-?3-0\.6b", Shape("qwen3", 1024, 3072, 28, 16, 8, 151936, 128, tied=True)),
    (r"qwen-?(2\.5|2)[\w.-]*0\.5b", Shape("qwen2", 896, 4864, 24, 14, 2, 151936, tied=True)),
    (r"qwen-?(2\.5|2)[\w.-]*1\.5b", Shape("qwen2", 1536, 8960, 28, 12, 2, 151936, tied=True)),
    (r"qwen-?2\.5[\w.-]*3b", Shape("qwen2", 2048, 11008, 36, 16, 2, 151936, tied=True)),
    (r"qwen-?(2\.5|2)[\w.-]*7b", Shape("qwen2", 3584, 18944, 28, 28, 4, 152064)),
    (r"qwen-?2\.5[\w.-]*14b", Shape("qwen2", 5120, 13824, 48, 40, 8, 152064)),
    (r"(qwen-?2\.5[\w.-]*|qwq-)32b", Shape("qwen2", 5120, 27648, 64, 40, 8, 152064)),
    (r"qwen-?(2\.5|2)[\w.-]*72b", Shape("qwen2", 8192, 29568, 80, 64, 8, 152064)),
    (r"qwen-?1(\.5|half)-0\.5b", Shape("qwen2", 1024, 2816, 24, 16, 16, 151936, tied=True)),
    (r"qwen-?1(\.5|half)-4b", Shape("qwen2", 2560, 6912, 40, 20, 20, 151936)),
    (r"qwen-?1(\.5|half)-32b", Shape("qwen2", 5120, 27392, 64, 40, 8, 152064)),
    (r"qwen-?1(\.5|half)-110b", Shape("qwen2", 8192, 49152, 80, 64, 8, 152064)),
    (r"qwen-?(1(\.5|half)-)?1[._]8b", Shape("qwen2", 2048, 5504, 24, 16, 16, 151936)),
    (r"qwen-?(1(\.5|half)-)?7b", Shape("qwen2", 4096, 11008, 32, 32, 32, 151936)),
    (r"qwen-?(1(\.5|half)-)?14b", Shape("qwen2", 5120, 13696, 40, 40, 40, 152064)),
    (r"qwen-?(1(\.5|half)-)?72b", Shape("qwen2", 8192, 24576, 80, 64, 64, 152064)),
    (r"phi-?3[\w.-]*mini", Shape("phi3", 3072, 8192, 32, 32, 32, 32064)),
    (r"phi-?3[\w.-]*medium", Shape("phi3", 5120, 17920, 40, 40, 10, 32064)),
    (r"phi-?4-mini", Shape("phi3", 3072, 8192, 32, 24, 8, 200064, tied=True)),
)
"""Patterns over a model's name in lower case, the first that is found counts, and the sizes they stand for."""


UNGATED_SHAPES: tuple[tuple[str, Shape], ...] = (
    (r"mpt-125m", Shape("llama", 768, 2048, 12, 12, 12, 50368, tied=True)),
    (r"mpt-350m", Shape("llama", 1024, 2731, 24, 16, 16, 50368, tied=True)),
    (r"mpt-760m", Shape("llama", 1536, 4096, 24, 12, 12, 50368, tied=True)),
    (r"mpt-1b", Shape("llama", 2048, 5461, 24, 16, 16, 50368, tied=True)),
    (r"mpt-3b", Shape("llama", 2560, 6827, 32, 20, 20, 50368, tied=True)),
    (r"mpt-7b", Shape("llama", 4096, 10923, 32, 32, 32, 50368, tied=True)),
    (r"mpt-13b", Shape("llama", 5120, 13653, 40, 40, 40, 50368, tied=True)),
    (r"mpt-30b", Shape("llama", 7168, 19115, 48, 56, 56, 50368, tied=True)),
    (r"mpt-70b", Shape("llama", 8192, 21845, 80, 64, 64, 50368, tied=True)),
    (r"falcon-7b", Shape("llama", 4544, 12117, 32, 71, 1, 65024, 64, tied=True)),
    (r"opt-6\.7b", Shape("llama", 4096, 10923, 32, 32, 32, 50272, tied=True)),
    (r"santacoder", Shape("llama", 2048, 5461, 24, 16, 1, 49280, 128, tied=True)),
)
"""The same for models without a gate: two thirds of their MLP's width with one, which is as many weights."""


class Found(NamedTuple):
    """An architecture, and in words what it stands for where it is not the model's own."""

    architecture: Architecture
    stand_in: str


class NoArchitectureError(Exception):
    """A model that cannot be expressed; the message says why."""


def architecture_of(name: str, parameters: float | None) -> Found:
    """The architecture of a model by its name.

    Args:
        name: as a source writes it: a Hub id, a nickname, with remarks.
        parameters: that the source states; None where it states none.

    Raises:
        NoArchitectureError: no such model is known, its family is not supported, or its size is another.
    """
    found = _found(name)
    counted = total_parameters(found.architecture)
    if parameters and abs(counted / parameters - 1) > (POSITIONS if found.stand_in else TOLERANCE):
        raise NoArchitectureError(
            f"{name}: {parameters / 1e9:.2f}B parameters stated, {counted / 1e9:.2f}B in the model known by that name"
        )
    return found


@cache
def _found(name: str) -> Found:
    listed = catalog().models.get(name)
    if listed is not None and listed.architecture is not None:
        return Found(listed.architecture, "")
    plain = re.sub(r"[\s_]+", "-", name.lower().replace("1_8b", "1.8b"))
    plain = re.sub(r"h2ogpt-4096-", "", plain)
    for pattern, shape in SHAPES:
        if re.search(pattern, plain):
            return Found(Architecture.from_config(shape.config), "")
    for pattern, shape in UNGATED_SHAPES:
        if re.search(pattern, plain):
            stand_in = "a model without a gate in its MLP as one with as many weights: time only"
            return Found(Architecture.from_config(shape.config), stand_in)
    base = re.sub(r"-(instruct|chat|it|base|hf|int4|gptq|awq|4bit|bnb).*$", "", plain.rpartition("/")[2])
    for known in catalog().models.values():
        leaf = re.sub(r"-(instruct|chat|it|base).*$", "", known.id.lower().rpartition("/")[2])
        if known.architecture is not None and leaf == base:
            return Found(known.architecture, "")
    if re.search(UNGATED, plain):
        raise NoArchitectureError("a model whose MLP has no gate: no supported family")
    raise NoArchitectureError(f"a model that is not known: {name or 'not named'}")
