"""Tasks of EleutherAI's lm-evaluation-harness as suites: `lm-eval:TASK`, or `lm-eval:TASK@METRIC,FILTER`.

The library makes the prompts, filters the answers and scores them (`run_task.py`, in a process of its own); the model
is asked as it is for every other suite. A task has to ask for text (`generate_until`), once for each document, and its
metric has to be 0 or 1 for each: what lies between counts as not right.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from .case_files import UnusableError, chat
from .items import RIGHT, WRONG, Item, Scored, SuiteError, canonical, digest_of_bytes
from .tool_usage import seeded

LM_EVAL = "lm-eval:"
"""What the names of these suites begin with."""
PROGRAM = Path(__file__).parents[1] / "run_task.py"
INSTALL = "pip install 'hbspec[lm-eval]'"
VERSION = 1
LONGEST_SECONDS = 3600
"""Of one run of the library, which may download the task's data set."""
TOKENS = 256
"""Of a task that does not say how long an answer may be, as in the library (`LocalChatCompletion.max_gen_toks`)."""
TOKEN_KEYS = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens", "max_length")
PARTIAL, NOT_SCORED = "partial score", "not scored"
"""Kinds of answers that the library scores between 0 and 1, or not at all."""


class LibraryTask:
    """A task as a suite. The library is first run when its items are asked for.

    Args:
        name: as it is written under `evaluation:`.
        folder: of the task's YAML and its data; None for a task that the library brings.
    """

    def __init__(self, name: str, folder: Path | None) -> None:
        self.name, self._folder = name, folder
        self._task, _, self._asked_metric = name.removeprefix(LM_EVAL).partition("@")
        if not self._task:
            raise SuiteError(f"{name} names no task: write {LM_EVAL}TASK")
        if folder is not None and not folder.is_dir():
            raise SuiteError(f"{name}: {folder} is not a folder: name the one that holds the task's YAML file")

    def items(self, seed: int, count: int) -> Iterator[Item]:
        """As `Suite` has it: the documents in an order that the seed decides."""
        yield from seeded(self._items, seed)[:count]

    def score(self, item: Item, answer: str) -> Scored:
        """As `Suite` has it."""
        return self.score_group([item], [answer])[0]

    def score_group(self, items: Sequence[Item], answers: Sequence[str]) -> list[Scored]:
        """As `Suite` has it: the library is run once for all."""
        given = {item.id: _ended(answer, item.stop) for item, answer in zip(items, answers, strict=True)}
        found = self._run(given)["samples"]
        values = {str(one["document"]): one["metrics"].get(self._metric[0]) for one in self._of_filter(found)}
        return [_scored(answer, values.get(item.id)) for item, answer in zip(items, answers, strict=True)]

    @cached_property
    def digest(self) -> str:
        """As `Suite` has it: of the library's release, the task's version, its items and how they are scored."""
        found = self._found
        parts = [one["digest"] for one in self._of_filter(found["samples"])]
        of = json.dumps([found["version"], found["scoring"], self._metric, parts], sort_keys=True)
        return digest_of_bytes(self.name, VERSION, of.encode(), *map(canonical, self._items))

    @property
    def source(self) -> str | None:
        """SHA-256 of the files of the folder, without running the library; None of a task that the library brings."""
        if self._folder is None:
            return None
        whole = hashlib.sha256()
        for path in sorted(path for path in self._folder.rglob("*") if path.is_file() and path.suffix != ".pyc"):
            named = path.relative_to(self._folder).as_posix().encode()
            whole.update(hashlib.sha256(named).digest() + hashlib.sha256(path.read_bytes()).digest())
        return whole.hexdigest()

    @cached_property
    def _found(self) -> dict[str, Any]:
        return self._run({})

    @cached_property
    def _items(self) -> list[Item]:
        return [self._item(one) for one in self._of_filter(self._found["samples"])]

    @cached_property
    def _metric(self) -> tuple[str, str]:
        """The metric by which an answer is right, and the filter that it is of: the task's first, unless one is named.

        Raises:
            SuiteError: the task has none of that name, or less of it is better.
        """
        known = [(metric, one["filter"]) for one in self._found["samples"] for metric in one["metrics"]]
        known = list(dict.fromkeys(known))
        named = [pair for pair in known if ",".join(pair) == self._asked_metric] if self._asked_metric else known
        if not named:
            written = ", ".join(f"{self._task}@{','.join(pair)}" for pair in known)
            raise SuiteError(f"{self.name}: the task has no such metric: use {LM_EVAL}{written or self._task}")
        if self._found["more_is_better"].get(named[0][0]) is not True:
            raise SuiteError(f"{self.name}: more of its metric {named[0][0]} is not better: name another, after an @")
        return named[0]

    def _of_filter(self, samples: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [one for one in samples if one["filter"] == self._metric[1]]

    def _item(self, one: Mapping[str, Any]) -> Item:
        try:
            messages = chat(one["messages"])
        except UnusableError as reason:
            raise SuiteError(f"{self.name}: document {one['document']} cannot be asked as a chat: {reason}") from None
        number, generation = str(one["document"]), one["generation"]
        tokens = next((generation[key] for key in TOKEN_KEYS if generation.get(key)), TOKENS)
        until = generation.get("until") or []
        stop = tuple(until) if isinstance(until, list) else (str(until),)
        return Item(number, number, messages, {}, int(tokens), tuple(text for text in stop if text))

    def _run(self, answers: Mapping[str, str]) -> dict[str, Any]:
        """Run the library.

        Raises:
            SuiteError: it is not installed, or cannot run the task.
        """
        folder = None if self._folder is None else str(self._folder.resolve())
        request = {"task": self._task, "folder": folder, "answers": dict(answers)}
        with tempfile.TemporaryDirectory() as place:
            result = Path(place) / "result.json"
            try:
                done = subprocess.run(
                    [sys.executable, "-P", str(PROGRAM), str(result)],
                    input=json.dumps(request).encode(),
                    cwd=folder,  # where paths in the task's YAML begin
                    capture_output=True,
                    timeout=LONGEST_SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise SuiteError(f"{self.name}: lm-evaluation-harness ran for over {LONGEST_SECONDS} s") from None
            if not result.is_file():
                said = (done.stderr.decode(errors="replace").strip().splitlines() or ["no reason"])[-1]
                raise SuiteError(f"{self.name}: lm-evaluation-harness ended with {done.returncode}: {said}")
            found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        if "missing" in found:
            raise SuiteError(f"{self.name}: it needs {found['missing']}: {INSTALL}")
        if "error" in found:
            raise SuiteError(f"{self.name}: lm-evaluation-harness cannot run the task: {found['error']}")
        return found


def _ended(answer: str, stop: Sequence[str]) -> str:
    """An answer up to the first text that ends it: an endpoint takes four of them at most."""
    return answer[: min((answer.find(text) for text in stop if text in answer), default=len(answer))]


def _scored(answer: str, value: float | None) -> Scored:
    if not answer.strip():
        return Scored(False, "empty", "no answer")
    if value is None:
        return Scored(False, NOT_SCORED, "the library gives no number")
    if value == 1:
        return Scored(True, RIGHT, "1")
    return Scored(False, WRONG if value == 0 else PARTIAL, f"{value:g}")
