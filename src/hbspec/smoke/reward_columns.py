"""Columns of the data that the author's reward functions ask for, read from their files, which are not run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

GIVEN = frozenset(
    {
        "prompts", "completions", "completion_ids", "trainer_state", "log_extra", "log_metric", "environments",
        "args", "self",
    }
)  # fmt: skip
"""Arguments that TRL's trainer gives itself (TRL 1.16.0, `grpo_trainer.py`, `_calculate_rewards`), or Python."""


def reward_columns(source: Path, functions: Sequence[str]) -> tuple[str, ...]:
    """Names of arguments that must be given, in order.

    Args:
        source: folder of the compiled job's files.
        functions: `file.py:name`, as the spec names them.
    """
    names: dict[str, None] = {}
    for named in functions:
        path, _, name = named.rpartition(":")
        file = source / Path(path).name
        names |= dict.fromkeys(_needed(ast.parse(file.read_bytes()), name))
    return tuple(names)


def _needed(tree: ast.Module, name: str) -> Iterator[str]:
    """Arguments without a default of the function of that name; of a class or an imported one none are known."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            places = [*node.args.posonlyargs, *node.args.args]
            needed = places[: len(places) - len(node.args.defaults)]
            needed += [
                each for each, usual in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if not usual
            ]
            yield from (each.arg for each in needed if each.arg not in GIVEN)
