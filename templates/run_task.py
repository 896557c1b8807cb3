"""Runs a task of lm-evaluation-harness on answers that are given, and writes what it asked and how it scored each.

    python -P run_task.py RESULT < REQUEST

`suites/library_tasks.py` starts it. It is a process of its own since the library imports a package `evaluate`, and a
module of this folder has that name. Nothing else imports lm_eval.
https://github.com/EleutherAI/lm-evaluation-harness/blob/main/docs/interface.md
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


class OneTaskError(Exception):
    """A task that cannot be run here; the message says why."""


def ran(request: Mapping[str, Any]) -> dict[str, Any]:
    """What a task asks, and its metrics of every document.

    Args:
        request: `task`, `folder` (where its YAML lies; None for the library's own) and `answers` by document.

    Raises:
        OneTaskError: the name is that of none or of several tasks, or it does not ask for one answer a document.
    """
    from lm_eval.evaluator import simple_evaluate
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=request["folder"], include_defaults=request["folder"] is None)
    try:
        found = simple_evaluate(
            model=_given(request["answers"]),
            tasks=[request["task"]],
            task_manager=manager,
            apply_chat_template=True,
            bootstrap_iters=0,
            log_samples=True,
            torch_random_seed=None,  # nothing here draws by torch, which need not be installed
        )
    except KeyError as missing:
        raise OneTaskError(str(missing.args[0]) if missing.args else "KeyError") from None
    if len(found["samples"]) != 1:
        names = ", ".join(sorted(found["samples"])[:3])
        raise OneTaskError(f"it stands for {len(found['samples'])} tasks ({names}, …): name one of them")
    ((task, samples),) = found["samples"].items()
    config = found["configs"][task]
    if config.get("repeats", 1) != 1 or any(len(one["arguments"]) != 1 for one in samples):
        raise OneTaskError("it asks for several answers a document")
    return {
        "version": [found["lm_eval_version"], found["versions"][task]],
        "scoring": json.dumps([config.get("filter_list"), config.get("metric_list")], default=str, sort_keys=True),
        "more_is_better": found["higher_is_better"][task],
        "samples": [_sample(one) for one in samples],
    }


def _sample(one: Mapping[str, Any]) -> dict[str, Any]:
    """One document, as one filter leaves its answer."""
    ((context, generation),) = one["arguments"]
    return {
        "document": one["doc_id"],
        "digest": one["doc_hash"] + one["target_hash"],
        "messages": json.loads(context),
        "generation": generation,
        "filter": one["filter"],
        "metrics": {name: _number(one[name]) for name in one["metrics"]},
    }


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _given(answers: Mapping[str, str]) -> Any:
    """A model of the library that says what is given for each document, and nothing for others."""
    from lm_eval.api.model import LM

    class Given(LM):  # type: ignore[misc]
        tokenizer_name = "hbspec"

        def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
            if not add_generation_prompt:
                raise OneTaskError("it begins the answer itself (gen_prefix), which chat completions do not take")
            return json.dumps(chat_history)

        def generate_until(self, requests: Sequence[Any]) -> list[str]:
            return [answers.get(str(one.doc_id), "") for one in requests]

        def loglikelihood(self, requests: Sequence[Any]) -> list[tuple[float, bool]]:
            del requests
            raise OneTaskError("it asks for log-likelihoods, which chat completions do not give")

        def loglikelihood_rolling(self, requests: Sequence[Any]) -> list[float]:
            del requests
            raise OneTaskError("it asks for log-likelihoods, which chat completions do not give")

    return Given()


def main() -> None:
    """Read the request, run the task, and write the result, or why there is none."""
    sys.path[:] = [path for path in sys.path if Path(path).resolve() != HERE]
    request = json.loads(sys.stdin.read())
    try:
        result = ran(request)
    except ModuleNotFoundError as missing:
        result = {"missing": missing.name}
    except Exception as reason:
        first = (str(reason).strip().splitlines() or [""])[0]
        result = {"error": first if isinstance(reason, OneTaskError) else f"{type(reason).__name__}: {first}"}
    Path(sys.argv[1]).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
