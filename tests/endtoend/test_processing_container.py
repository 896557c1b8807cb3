"""The compiled evaluation job in the place where SageMaker puts it: what it asks, and the record that it leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch  # noqa: F401 - the process that is started needs it
from moto_strict import plain_server
from processing_container import ProcessingContainer, archive, lay_out
from small_served import build
from stub_model import Handler, stub

from hbspec.evaluation.harness import harness

SUITES = (
    "evaluation=[{suite: tool-usage, min_score: 0.5, items: 2}, "
    "{suite: own, min_score: 0.5, data: 's3://heartbeat/suites/own.jsonl'}]"
)
TOOLS = [
    {
        "messages": [
            {"role": "user", "content": f"show shots {number}"},
            {"role": "assistant", "content": "[TOOL: parquet_query]"},
        ]
    }
    for number in range(5)
]
OWN = [
    {"id": str(number), "prompt": f"Say {number}", "expect": {"contains": str(number)}, "max_tokens": 4}
    for number in range(3)
]
ANSWER = "[TOOL: parquet_query], 0"


def lines(cases: list) -> bytes:
    return "".join(f"{json.dumps(case)}\n" for case in cases).encode()


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> ProcessingContainer:
    """The validation split lies in two files of names of its own, as a channel's may."""
    _, adapters = build(tmp_path_factory.mktemp("small"))
    held = {
        "model": {"model.tar.gz": archive(adapters)},
        "suite-0": {"part-0.jsonl": lines(TOOLS[:2]), "part-1.jsonl": lines([*TOOLS[2:], {"not": "a case"}])},
        "suite-1": {"own.jsonl": lines(OWN)},
    }
    with plain_server("ca-central-1") as server:
        return lay_out(tmp_path_factory.mktemp("container"), server.client("s3"), held, SUITES)


def record(container: ProcessingContainer) -> dict:
    (path,) = container.output.glob("*.record.json")
    return dict(json.loads(path.read_text()))


def test_the_job_asks_every_case_and_leaves_a_record_where_it_is_uploaded(container, monkeypatch) -> None:
    def answer(handler: Handler) -> None:
        handler.rfile.read(int(handler.headers["Content-Length"]))
        handler._send(200, {"choices": [{"message": {"content": ANSWER}, "finish_reason": "stop"}]})

    monkeypatch.setattr(Handler, "do_POST", answer)
    with stub() as server:
        done = container.run(server.url)
    assert done.returncode == 0, done.stderr
    found = record(container)
    tools, own = found["suites"]
    assert (tools["suite"], tools["items"], tools["right"]) == ("tool-usage", 2, 2)
    assert tools["faults"] == {"`messages` is not a list of messages": 1}
    assert [(part["value"], part["items"]) for part in tools["parts"]["seen"]] == [(None, 2)]
    assert (own["suite"], own["kinds"]) == ("own", {"right": 1, "wrong": 2})
    assert found == harness().signed(found)
    answers = container.output / found["answers"]["file"]
    assert harness("answers").file_digest(answers) == found["answers"]["sha256"]
    assert "hbspec: verdict: not decided" in done.stdout
    asked = Path(f"{container.folder.parent}/asked").read_text()
    assert "-m pip install --quiet --requirement requirements.txt" in asked
    assert "--against /opt/ml/processing/model --output" in asked.replace(str(container.folder), "/opt/ml")
    for path in container.output.iterdir():
        path.unlink()


@pytest.mark.long
def test_without_another_endpoint_the_trained_model_itself_is_asked(container) -> None:
    done = container.run()
    assert done.returncode == 0, done.stderr
    found = record(container)
    assert (found["model"]["kind"], found["model"]["against"]) == ("checkpoint", "model")
    assert found["job"]["name"] in container.body["ProcessingInputs"][0]["S3Input"]["S3Uri"]
    assert found["suites"][1]["kinds"] == {"truncated": 3}, "four tokens of a model with random weights"
