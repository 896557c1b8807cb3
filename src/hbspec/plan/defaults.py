"""Defaults that replace the script's where the script's default would fail on this model or hardware.

Each function returns the working value with the reason, or None where the script's default works. The compiled job sets
such a value explicitly, so that the script runs as planned.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any, NamedTuple

from hbspec.catalog import Architecture
from hbspec.catalog.engines.facts import lora_ranks
from hbspec.catalog.parameters import TargetError, fused_targets, target_module_names
from hbspec.plan.epochs import FUSED_EXPERTS, SDPA_BY_DEFAULT, SDPA_REFUSED
from hbspec.plan.parallelism import PARALLELISMS

FOUR_BITS = ("nf4", "fp4")
SHORTEST_LENGTH, LENGTH_STEP = 4096, 1024
"""Tokens: the shortest `max_model_len` that is chosen, and its step. A choice of hbspec."""


class Working(NamedTuple):
    """A default that works, and the reason why the usual one does not."""

    value: Any
    reason: str


def refuses_sdpa(architecture: Architecture, transformers: str) -> bool:
    """Whether transformers stops where `sdpa` is asked for."""
    return not architecture.family.sdpa and SDPA_REFUSED.is_in({"transformers": transformers})


def attention(architecture: Architecture | None, transformers: str) -> Working | None:
    """`eager` where transformers refuses sdpa, or does not choose it by itself."""
    if not SDPA_BY_DEFAULT.is_in({"transformers": transformers}):
        return Working("eager", f"transformers {transformers} has no other attention by default")
    if architecture is None or not refuses_sdpa(architecture, transformers):
        return None
    return Working("eager", f"transformers refuses sdpa for {architecture.model_type}")


def method(parallelism: str, *, quantised: bool) -> Working | None:
    """`lora` under ZeRO-3, where the shipped script loads no 4-bit weights, unless the spec sets options of them."""
    way = PARALLELISMS[parallelism]
    if not way.shards_weights or way.shards_four_bits or quantised:
        return None
    return Working("lora", "the shipped script loads no 4-bit weights under ZeRO-3")


def without_dropout(architecture: Architecture, targets: str | Sequence[str], transformers: str) -> tuple[str, ...]:
    """Fused parameters that these targets adapt, on which peft refuses dropout.

    Before transformers 5 most experts were modules of their own, where dropout works.

    Raises:
        TargetError: as `fused_targets`.
    """
    listed = not FUSED_EXPERTS.is_in({"transformers": transformers}) and not architecture.family.experts_repeated
    return () if listed else fused_targets(architecture, targets)


def targets(architecture: Architecture | None, *, layers: bool = False) -> Working | None:
    """All linear modules by their names, without those that peft refuses in models of the type.

    Args:
        architecture: the model's.
        layers: whether only some layers get adapters.
    """
    if architecture is not None and layers:
        names = target_module_names(architecture)[:-2]
        return Working(names, "peft takes layers_to_transform with names of modules only")
    if architecture is None or not architecture.family.unadapted:
        return None
    refused = " and ".join(sorted(architecture.family.unadapted))
    linear = target_module_names(architecture)[:-2]  # of which the last two are the embedding and the head
    return Working(linear, f"peft refuses {refused} in models of type {architecture.model_type}, and so all-linear")


def dropout(architecture: Architecture | None, targets: str | Sequence[str], transformers: str) -> Working | None:
    """0 where the targets include fused parameters: peft refuses dropout on them."""
    try:
        fused = without_dropout(architecture, targets, transformers) if architecture else ()
    except TargetError:  # a rule names the target that is wrong
        return None
    return Working(0.0, "peft refuses dropout on fused parameters") if fused else None


def quant_storage(parallelism: str, quantization: str | None, compute: str) -> Working | None:
    """The compute dtype under FSDP, which shards weights of one dtype."""
    if not PARALLELISMS[parallelism].shards_four_bits or quantization not in FOUR_BITS:
        return None
    return Working(compute, "FSDP shards 4-bit weights in the compute dtype")


def save_steps(usual: int, eval_steps: float | None, *, keeps_best: bool) -> Working | None:
    """The next multiple of `eval_steps` where the best checkpoint is kept, since every checkpoint must be evaluated.

    A share stays as it is: transformers refuses a share beside a number of updates.
    """
    if not keeps_best or eval_steps is None or (eval_steps >= 1 and usual % eval_steps == 0):
        return None
    evaluated = eval_steps if eval_steps < 1 else -(-usual // eval_steps) * eval_steps
    return Working(evaluated, "load_best_model_at_end needs every checkpoint evaluated")


def engine_rank(usual: int, lora_r: int) -> Working | None:
    """The smallest rank that the engine accepts for these adapters; the engine's largest where none suffices."""
    if lora_r <= usual:
        return None
    ranks = lora_ranks()
    enough = next((rank for rank in ranks if rank >= lora_r), ranks[-1])
    return Working(enough, f"the smallest value the engine accepts for lora_r {lora_r}")


def request_length(positions: int, longest: float | None, typical: float) -> Working:
    """The `max_model_len` of an endpoint: enough for the training data, and at most the model's positions.

    Args:
        positions: the model's `max_position_embeddings`, tokens.
        longest: length of the longest training example plus the typical answer, tokens; None where not known.
        typical: length of the typical prompt plus the typical answer, tokens.
    """
    asked = max(longest or 0, typical)
    length = max(SHORTEST_LENGTH, LENGTH_STEP * ceil(asked / LENGTH_STEP))
    if length > positions:
        return Working(positions, "the model's max_position_embeddings")
    return Working(length, f"room for the {'longest example and the typical answer' if longest else 'typical request'}")
