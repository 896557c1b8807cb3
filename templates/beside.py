"""Files beside this script that settings name: DeepSpeed's JSON, the chat template and reward functions.

Only the standard library is imported, so that a mistake is refused in milliseconds.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

from settings import Settings


def refusals(settings: Settings) -> Iterator[str]:
    """Why a run cannot use the files that its settings name; nothing where it can."""
    yield from _deepspeed(settings)
    yield from _template_refusals(settings)
    yield from _plain(settings)
    for named in settings.REWARD_FUNCTIONS:
        yield from _reward_refusals(*named.split(":"))


def _reward_refusals(file: str, name: str) -> Iterator[str]:
    """A reward function that is not in its file; the file is parsed and not run."""
    said = f"REWARD_FUNCTIONS={file}:{name}"
    if not is_beside(file):
        yield f"{said}: {file} is not a file beside this script: put it into the folder of the job's source"
        return
    try:
        tree = ast.parse(Path(__file__).with_name(file).read_bytes(), file)
    except SyntaxError as reason:
        yield f"{said}: {file}:{reason.lineno} is not Python: {reason.msg}"
        return
    except ValueError as reason:
        yield f"{said}: {file} is not Python: {reason}"
        return
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    found = functions.get(name)
    if found is None:
        there = ", ".join(functions) or "none"
        yield f"{said}: {file} defines no function {name} (its functions: {there}): correct the name"
    elif isinstance(found, ast.AsyncFunctionDef):
        yield f"{said}: {file}:{found.lineno} is an async function: make it a plain one"


def _template_refusals(settings: Settings) -> Iterator[str]:
    """A chat template that is not beside this script, or not text."""
    name = settings.CHAT_TEMPLATE
    if name is None:
        return
    if not is_beside(name):
        yield f"CHAT_TEMPLATE={name} is not a file beside this script"
        return
    try:
        empty = not template_text(name).strip()
    except UnicodeDecodeError:
        yield f"CHAT_TEMPLATE={name} is not UTF-8 text"
        return
    if empty:
        yield f"CHAT_TEMPLATE={name} is empty"


def _plain(settings: Settings) -> Iterator[str]:
    """A chat template for texts that are not conversations."""
    if settings.CHAT_TEMPLATE is not None and settings.DATA_FORMAT == "standard":
        yield "CHAT_TEMPLATE has no effect with DATA_FORMAT=standard, plain texts: set one of them"


def template_text(name: str) -> str:
    """The text of a chat template beside this script.

    Raises:
        OSError: it cannot be read.
        UnicodeDecodeError: it is not UTF-8.
    """
    return Path(__file__).with_name(name).read_bytes().decode("utf-8-sig")


def is_beside(name: str) -> bool:
    """Whether a file of this name lies in the folder of this script."""
    return Path(name).name == name and Path(__file__).with_name(name).is_file()


def _deepspeed(settings: Settings) -> Iterator[str]:
    """A JSON that no engine reads, or that is not beside this script."""
    name = settings.DEEPSPEED
    if name is None:
        return
    if not settings.PARALLELISM.startswith("zero"):
        yield f"DEEPSPEED={name} has no effect with PARALLELISM={settings.PARALLELISM}: use zero1, zero2 or zero3"
    elif not is_beside(name):
        yield f"DEEPSPEED={name} is not a file beside this script"
    elif not _is_mapping(Path(__file__).with_name(name)):
        yield f"DEEPSPEED={name} does not hold a JSON object: correct the file"


def _is_mapping(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except (OSError, ValueError, RecursionError):
        return False
