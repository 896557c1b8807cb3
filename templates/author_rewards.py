"""The author's reward functions: loaded from files beside this script, and held to what TRL expects of them.

A function gets lists of `prompts` and `completions`, and each other column of the data under its name, and returns a
number for each completion, or None for one that it does not judge
(https://huggingface.co/docs/trl/grpo_trainer#using-a-custom-reward-function).
"""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from counting import EXAMPLE
from saving import refuse_together
from settings import RefusedError

Reward = Callable[..., Any]
ACTION = "correct it and start again with another checkpoint folder, since the code is part of the run"


def functions(named: Sequence[str]) -> dict[str, Any]:
    """The argument of TRL's GRPO trainer that has the reward functions; nothing where none are named.

    Raises:
        RefusedError: a file cannot be run, or lacks a function.
    """
    if not named:
        return {}
    problems: list[str] = []
    found: list[Reward] = []
    modules: dict[str, ModuleType | None] = {}
    for each in named:
        file, name = each.split(":")
        if file not in modules:
            modules[file] = _loaded(file, problems)
        function = getattr(modules[file], name, None)
        if callable(function):
            found.append(_held(function, file, name))
        elif modules[file] is not None:
            problems.append(f"REWARD_FUNCTIONS={each}: {file} defines no function {name}: correct the name")
    refuse_together(problems)
    return {"reward_funcs": found}


def _loaded(file: str, problems: list[str]) -> ModuleType | None:
    """A file's module; None, and a problem more, where it cannot be run."""
    path = Path(__file__).with_name(file)
    spec = spec_from_file_location(f"hbspec_rewards_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise RefusedError([f"{file} is not a Python file"])
    module = sys.modules[spec.name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as reason:  # the author's code raises what it likes
        problems.append(f"{_where(reason, file)}: the file of a reward function {_said(reason)}: correct the file")
        return None
    return module


def _held(function: Reward, file: str, name: str) -> Reward:
    """A reward function whose mistakes end all ranks with a message that says where."""

    @functools.wraps(function)
    def held(**given: Any) -> list[float | None]:
        given.pop(EXAMPLE, None)
        expected = len(given["completions"])
        found: list[float | None] = []
        problems: list[str] = []
        try:
            found = [None if reward is None else float(reward) for reward in function(**given)]
        except Exception as reason:  # the author's code raises what it likes
            problems.append(f"{_where(reason, file)}: the reward function {name} {_said(reason)}: {ACTION}")
        if not problems and len(found) != expected:
            line = function.__code__.co_firstlineno if hasattr(function, "__code__") else 1
            said = f"returned {len(found)} rewards for {expected} completions"
            problems.append(f"{file}:{line}: the reward function {name} {said}: {ACTION}")
        refuse_together(problems)
        return found

    return held


def _said(reason: Exception) -> str:
    return f"raised {type(reason).__name__}" + (f" ({reason})" if str(reason) else "")


def _where(reason: Exception, file: str) -> str:
    """The last line of the author's file on the way to where an exception was raised."""
    if isinstance(reason, SyntaxError) and reason.lineno:
        return f"{file}:{reason.lineno}"
    path = str(Path(__file__).with_name(file))
    lines = [frame.lineno for frame in traceback.extract_tb(reason.__traceback__) if frame.filename == path]
    return f"{file}:{lines[-1]}" if lines else file
