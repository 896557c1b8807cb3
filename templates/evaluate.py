"""Evaluates a trained model: asks every item of the suites, scores the answers, and writes the record.

    python evaluate.py --plan evaluation.json --against URL|sagemaker:ENDPOINT|FOLDER --output record.json

`hbspec evaluate` runs the same code. Answers are kept beside the record as they come (`answers.py`), so that a run that
was ended goes on where it was. Exit code 0: passed; 1: failed, or not decided; 2: the run could not be made.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from answers import Answered, AnswersError, AnswersFile, file_digest
from asking import Asked, DeniedError, Patience, Reply, StoppedError, patiently
from scores import LenientSuiteError, Wanted, item_digest, judged, kinds_of, overall, refuse_lenient
from significance import PASSED

FORMAT = 2
"""Of the record. Format 1 had none of a suite's parts, baseline and faults."""
CONCURRENCY, TIMEOUT = 8, 120.0
"""Requests at once, and seconds that one may take."""
PASS, NOT_PASSED, UNUSABLE = 0, 1, 2
ANSWERS = ".answers.jsonl"
"""What the name of the answers' file has instead of the record's suffix."""

Progress = Callable[[int, int], None]
"""Is told how many items are answered, and of how many."""


class EvaluationError(Exception):
    """An evaluation that cannot be made; the message says why and what to do."""


class Way(NamedTuple):
    """How a model is asked.

    Attributes:
        against: a URL, `sagemaker:ENDPOINT`, or a folder.
        model: the `model` of requests; None for the endpoint's own.
        key: a bearer token; None for none.
        region: AWS region of a SageMaker endpoint.
        timeout: seconds of one request.
        temperature: of sampling.
    """

    against: str
    model: str | None = None
    key: str | None = None
    region: str | None = None
    timeout: float = TIMEOUT
    temperature: float = 0.0


def asked_of(way: Way) -> Asked:
    """The model that a word names.

    Raises:
        DeniedError: it cannot be asked.
        EvaluationError: the word names none, or a library is missing.
    """
    from endpoints import SAGEMAKER, Completions, SageMakerEndpoint

    try:
        if way.against.startswith(SAGEMAKER):
            name = way.against.removeprefix(SAGEMAKER)
            return SageMakerEndpoint(name, way.model, way.region, way.timeout, way.temperature)
        if "://" in way.against:
            return Completions(way.against, way.model, way.key, way.timeout, way.temperature)
        if not Path(way.against).is_dir():
            raise EvaluationError(f"{way.against} is not a URL, sagemaker:ENDPOINT, or the folder of a checkpoint")
        from local_model import LocalModel

        return LocalModel(Path(way.against))
    except ImportError as missing:
        extra = "sagemaker" if way.against.startswith(SAGEMAKER) else "train"
        raise EvaluationError(f"{way.against} needs {missing.name}: pip install 'hbspec[{extra}]'") from None


def wanted_suites(entries: Sequence[Mapping[str, Any]], suite: Callable[[str, Path | None], Any]) -> list[Wanted]:
    """The suites of a plan with their items.

    Args:
        entries: `name`, `min_score`, `seed`, `items` and `folder` of each.
        suite: makes one of its name and its folder.

    Raises:
        EvaluationError: no suite has this name, it has no items or two of one id, or it lets nonsense pass.
    """
    found = []
    for entry in entries:
        folder = Path(entry["folder"]) if entry.get("folder") else None
        try:
            made = suite(entry["name"], folder)
            items = tuple(made.items(entry["seed"], entry["items"]))
            wanted = Wanted(made, entry["min_score"], entry["seed"], entry["items"], items)
            if not items:
                raise EvaluationError(f"{entry['name']} has no items")
            if len({item.id for item in items}) < len(items):
                raise EvaluationError(f"{entry['name']} has two items of one id: correct the suite")
            refuse_lenient(wanted)
        except LenientSuiteError as reason:
            raise EvaluationError(str(reason)) from None
        except (ValueError, OSError) as reason:
            said = str(reason).removeprefix(f"{entry['name']}: ")
            raise EvaluationError(f"{entry['name']}: {said}") from None
        found.append(wanted)
    return found


def ask_all(
    wanted: Sequence[Wanted],
    asked: Asked,
    file: AnswersFile,
    *,
    concurrency: int = CONCURRENCY,
    patience: Patience | None = None,
    progress: Progress | None = None,
) -> None:
    """Ask every item that has no answer yet, so many at once.

    Raises:
        DeniedError: the model answers none of them; those that were answered are in the file.
    """
    due = [(one, item) for one in wanted for item in one.items if not _is_answered(file, one, item)]
    number = sum(len(one.items) for one in wanted)
    done, stop = [number - len(due)], Event()
    patience, say = patience or Patience(wait=stop.wait), progress or _silent
    say(done[0], number)

    def ask(one: Wanted, item: Any) -> None:
        if stop.is_set():
            return
        file.add(_answered(one, item, asked, patience))
        done[0] += 1

    with ThreadPoolExecutor(min(concurrency, asked.at_once or concurrency)) as pool:
        pending = {pool.submit(ask, one, item) for one, item in due}
        try:
            while pending:
                over, pending = wait(pending, timeout=0.2, return_when=FIRST_EXCEPTION)
                say(done[0], number)
                for future in over:
                    future.result()
        except StoppedError:
            pass
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _is_answered(file: AnswersFile, one: Wanted, item: Any) -> bool:
    found = file.found.get((one.suite.name, one.seed, item.id, item_digest(item)))
    return found is not None and not found.failure


def _answered(one: Wanted, item: Any, asked: Asked, patience: Patience) -> Answered:
    began = time.monotonic()
    request = item.messages, item.max_tokens, one.seed, item.stop
    reply, attempts = patiently(lambda: asked.ask(*request), patience)
    came = reply if isinstance(reply, Reply) else Reply("", "", None, None)
    return Answered(
        suite=one.suite.name,
        seed=one.seed,
        item=item.id,
        prompt=item_digest(item),
        text=came.text,
        finish=came.finish,
        failure="" if isinstance(reply, Reply) else reply,
        tokens=came.tokens,
        attempts=attempts,
        seconds=round(time.monotonic() - began, 3),
    )


def evaluated(
    job: Mapping[str, Any],
    wanted: Sequence[Wanted],
    asked: Asked,
    place: Path,
    *,
    concurrency: int = CONCURRENCY,
    patience: Patience | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Ask, score, and give the record; the answers are in a file beside `place`.

    Args:
        job: what the record says of the training: its name and digests.
        wanted: the suites.
        asked: the model.
        place: where the record is to be.
        concurrency: requests at once.
        patience: with failures.
        progress: is told how far it is.

    Raises:
        EvaluationError: the file of answers cannot be used.
        DeniedError: the model answers nothing.
    """
    path = place.with_suffix(ANSWERS)
    try:
        file = AnswersFile(path, {"job": job, "of": dict(asked.told) | {"answered_by": None}})
    except AnswersError as reason:
        raise EvaluationError(str(reason)) from None
    with closing(file):
        ask_all(wanted, asked, file, concurrency=concurrency, patience=patience, progress=progress)
        suites = [judged(one, kinds_of(one, file.found)) for one in wanted]
    return signed(
        {
            "format_version": FORMAT,
            "job": dict(job),
            "model": dict(asked.told),
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "suites": suites,
            "verdict": overall(suites),
            "answers": {"file": path.name, "sha256": file_digest(path)},
        }
    )


def signed(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with the digest of all the rest, by which a change to it is seen."""
    rest = {name: value for name, value in record.items() if name != "digest"}
    return {**rest, "digest": hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()}


def write_record(place: Path, record: Mapping[str, Any]) -> None:
    """Write the record, whole or not at all."""
    unfinished = place.with_name(f".{place.name}.unfinished")
    unfinished.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(place)


def _silent(done: int, number: int) -> None:
    del done, number


def _said(done: int, number: int) -> None:
    """A line for a log each tenth."""
    if not number or done * 10 // number != (done - 1) * 10 // number:
        print(f"hbspec: {done} of {number} items answered", flush=True)


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("evaluate.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--plan", type=Path, required=True, help="the suites and the job, as hbspec compiled them")
    parser.add_argument("--against", required=True, help="a URL, sagemaker:ENDPOINT, or the folder of a checkpoint")
    parser.add_argument("--output", type=Path, required=True, help="the record to write")
    parser.add_argument("--model", help="the model of requests")
    parser.add_argument("--key-variable", help="the environment variable that holds the endpoint's key")
    parser.add_argument("--region", help="AWS region of a SageMaker endpoint")
    parser.add_argument("--concurrency", type=int, default=CONCURRENCY, help="requests at once")
    return parser.parse_args(words)


def _lines(record: Mapping[str, Any]) -> Iterator[str]:
    for suite in record["suites"]:
        ends, kinds = suite["interval"], ", ".join(f"{count} {kind}" for kind, count in suite["kinds"].items())
        yield (
            f"{suite['suite']}: {suite['verdict']}: {suite['right']} of {suite['items']} right, "
            f"{ends['low']:.3f} to {ends['high']:.3f}, min_score {suite['min_score']:g} ({kinds})"
        )
    yield f"verdict: {record['verdict']}"


def main(words: Sequence[str] | None = None) -> int:
    """Run the evaluation of a plan; return the exit code."""
    given = _arguments(words)
    try:
        plan = json.loads(given.plan.read_text(encoding="utf-8"))
        wanted = wanted_suites(plan["suites"], import_module("suites").suite)
        key = os.environ.get(given.key_variable) if given.key_variable else None
        asked = asked_of(Way(given.against, given.model, key, given.region))
        given.output.parent.mkdir(parents=True, exist_ok=True)
        record = evaluated(plan["job"], wanted, asked, given.output, concurrency=given.concurrency, progress=_said)
        write_record(given.output, record)
    except (EvaluationError, DeniedError, OSError) as reason:
        print(f"hbspec: {reason}", file=sys.stderr)
        return UNUSABLE
    print(*(f"hbspec: {line}" for line in _lines(record)), sep="\n", flush=True)
    return PASS if record["verdict"] == PASSED else NOT_PASSED


if __name__ == "__main__":
    sys.exit(main())
