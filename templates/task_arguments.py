"""The part of TRL's arguments that only the trainer of a task has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import trl
from settings import Settings


def config_of(settings: Settings) -> Any:
    """TRL's class of the trainer's arguments."""
    return getattr(trl, settings.task.config)


def task_arguments(settings: Settings) -> dict[str, Any]:
    """Arguments of that class alone."""
    return ARGUMENTS[settings.TASK](settings)


def _supervised(settings: Settings) -> dict[str, Any]:
    return {
        **_capped(settings),
        "packing": settings.PACKING,
        "packing_strategy": settings.PACKING_STRATEGY,
        "eval_packing": False,
    }


def _compared(settings: Settings) -> dict[str, Any]:
    precomputed = {"precompute_ref_log_probs": settings.PRECOMPUTE_REF_LOG_PROBS}
    return {**_capped(settings), **precomputed, **_loss(settings)}


def _capped(settings: Settings) -> dict[str, Any]:
    return {"max_length": settings.MAX_LENGTH, "activation_offloading": settings.ACTIVATION_OFFLOADING}


def _generating(settings: Settings) -> dict[str, Any]:
    return {
        **_loss(settings),
        "num_generations": settings.NUM_GENERATIONS,
        "max_completion_length": settings.MAX_COMPLETION_LENGTH,
        "temperature": settings.TEMPERATURE,
        "num_iterations": settings.NUM_ITERATIONS,
        "steps_per_generation": settings.STEPS_PER_GENERATION,
    }


def _loss(settings: Settings) -> dict[str, Any]:
    """The objective, where the settings say nothing by the table of tasks, which has TRL's defaults."""
    beta = settings.task.beta if settings.BETA is None else settings.BETA
    return {"beta": beta, "loss_type": settings.LOSS_TYPE or settings.task.losses[0]}


ARGUMENTS: Mapping[str, Callable[[Settings], dict[str, Any]]] = {
    "sft": _supervised,
    "pretrain": _supervised,
    "dpo": _compared,
    "kto": _compared,
    "reward": _capped,
    "grpo": _generating,
}
