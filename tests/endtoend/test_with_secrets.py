"""The program that reads a job's secrets, against a Secrets Manager of moto's: what the program behind it is given."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from moto_strict import HOST, Server

PROGRAM = Path(__file__).parents[2] / "templates/with_secrets.py"
PRINTS = "import os; print(os.environ['HF_TOKEN'], end='')"
TOKEN = "hf_" + "a1B2" * 9


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), *words]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=300)


def secret(server: Server, **content: str | bytes) -> str:
    return str(server.client("secretsmanager").create_secret(Name="hub", **content)["ARN"])


@pytest.mark.one_in(3)
@pytest.mark.parametrize("content", [TOKEN, f"{TOKEN}\n", json.dumps({"HF_TOKEN": TOKEN, "other": "x"})])
def test_the_program_has_the_value_in_its_environment_and_nothing_is_said(
    sagemaker_server: Server, content: str
) -> None:
    arn = secret(sagemaker_server, SecretString=content)
    done = run(f"HF_TOKEN={arn}", "--", sys.executable, "-c", PRINTS, AWS_DEFAULT_REGION="eu-west-1")
    assert (done.returncode, done.stdout, done.stderr) == (0, TOKEN, ""), "the ARN names its region"


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"SecretBinary": b"x"}, "it is binary"),
        ({"SecretString": " "}, "it is empty"),
        ({"SecretString": '{"HF": "x"}'}, "it is a JSON object without a text named HF_TOKEN"),
    ],
)
def test_what_holds_no_value_starts_nothing(sagemaker_server: Server, content: dict[str, str], said: str) -> None:
    done = run(f"HF_TOKEN={secret(sagemaker_server, **content)}", "--", sys.executable, "-c", "print('started')")
    assert (done.returncode, done.stdout, done.stderr.count("\n"), said in done.stderr) == (2, "", 1, True), done.stderr


def test_a_secret_that_is_not_there_is_one_line(sagemaker_server: Server) -> None:
    arn = "arn:aws:secretsmanager:ca-central-1:111122223333:secret:none-a1b2c3"
    done = run(f"HF_TOKEN={arn}", "--", "true")
    assert done.returncode == 2
    assert done.stderr == f"hbspec: secret {arn}, for HF_TOKEN: it cannot be read (ResourceNotFoundException)\n"


@pytest.mark.parametrize("words", [(), ("HF_TOKEN=x",), ("HF_TOKEN", "--", "true"), ("HF_TOKEN=x", "--")])
def test_another_call_is_told_the_usage(words: tuple[str, ...]) -> None:
    done = run(*words)
    assert (done.returncode, done.stderr.startswith("usage: ")) == (2, True)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_while_a_secret_is_waited_for_is_orderly(sagemaker_server: Server, number: signal.Signals) -> None:
    arn = "arn:aws:secretsmanager:ca-central-1:111122223333:secret:hub-a1b2c3"
    with socket.create_server((HOST, 0)) as silent:
        silent.settimeout(300)
        where = {**os.environ, "AWS_ENDPOINT_URL": f"http://{HOST}:{silent.getsockname()[1]}"}
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), f"HF_TOKEN={arn}", "--", "true"],
            stderr=subprocess.PIPE,
            text=True,
            env=where,
        )
        asked, _ = silent.accept()
        with asked:
            process.send_signal(number)
            _, said = process.communicate(timeout=300)
    assert (process.returncode, said) == (0, f"hbspec: stopped by {number.name} before training began\n")


def test_signals_reach_the_program_that_it_becomes(sagemaker_server: Server) -> None:
    arn = secret(sagemaker_server, SecretString=TOKEN)
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), f"HF_TOKEN={arn}", "--", "sh", "-c", "echo $$"],
        stdout=subprocess.PIPE,
        text=True,
    )
    said, _ = process.communicate(timeout=300)
    assert int(said) == process.pid
