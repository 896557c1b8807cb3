"""Which settings decide what is learned, so that a run goes on only from checkpoints of the same one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from settings import Settings

ENDLESS = ("constant", "constant_with_warmup", "inverse_sqrt")
"""Schedules whose learning rate does not depend on when the run ends; the others fall towards the last update."""


@dataclass(frozen=True, slots=True)
class Learned:
    """Whether another value of a setting makes another model; a run goes on only from checkpoints of the same one.

    Attributes:
        text: the answer in words.
        holds: the answer for a run's settings.
    """

    text: str
    holds: Callable[[Settings], bool]


def _schedule_ends(settings: Settings) -> bool:
    share = settings.WARMUP_RATIO if settings.WARMUP_STEPS is None else settings.WARMUP_STEPS
    warmed_by_share = settings.LR_SCHEDULER_TYPE != "constant" and share is not None and 0 < share < 1
    return settings.LR_SCHEDULER_TYPE not in ENDLESS or warmed_by_share


YES = Learned("yes", lambda _: True)
NO = Learned("no", lambda _: False)
BY_CONTENT = Learned("only its content does", lambda _: False)
BY_BATCH = Learned("only the effective batch does", lambda _: False)
BY_LAYOUT = Learned("only where the files differ (fsdp, zero)", lambda _: False)
BY_LENGTH = Learned("yes, unless the schedule is constant or inverse_sqrt", _schedule_ends)
BY_EPOCHS = Learned(BY_LENGTH.text, lambda settings: settings.MAX_STEPS is None and _schedule_ends(settings))
BY_BEST = Learned("with LOAD_BEST_MODEL_AT_END", lambda settings: settings.LOAD_BEST_MODEL_AT_END)
