"""The endpoint's engine on a machine of one's own: the scripts start what the endpoint runs, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from compiled import BASE, HEARTBEAT, SHEBANG, files, refusals

from hbspec.catalog.engines.arguments import refused
from hbspec.catalog.engines.facts import arguments, facts
from hbspec.targets.aws.engine_settings import BASE_FOLDER, MODEL_FOLDER

SHIM = (
    SHEBANG
    + """
import json, os, sys
if "inspect" not in sys.argv:
    given = {"token": os.environ.get("HF_TOKEN"), "handler": os.environ.get("CUSTOM_FASTAPI_INVOCATION_HANDLER")}
    print(json.dumps({"words": sys.argv[1:], **given}))
sys.exit("pull" in sys.argv or ("inspect" in sys.argv and "LOGGED_OUT" in os.environ))
"""
)
HOSTILE = 'x\'}; touch pwned; echo "$(touch pwned)`touch pwned`"'
LMI = ("deployment.engine=djl-lmi", "deployment.quantization=none")
MERGED = "deployment.adapters=merged"


def endpoint(spec: Path, *overrides: str) -> dict[str, Any]:
    """The container of CreateModel."""
    compiled = files(spec, "deployment", *overrides, force=True)
    return dict(json.loads(compiled["create_model.json"])["PrimaryContainer"])


class Machine:
    """A machine on which `vllm` and `docker` only say how they were called."""

    def __init__(self, folder: Path, *overrides: str, spec: Path = BASE) -> None:
        self.folder, self.model = folder, folder / "my model"
        self.model.mkdir()
        (self.model / ("config.json" if MERGED in overrides else "adapter_config.json")).write_text("{}")
        for path, content in files(spec, "serve", *overrides, force=True).items():
            (folder / path).write_bytes(content)
        (folder / "shims").mkdir()
        for name in ("vllm", "docker"):
            (folder / "shims" / name).write_text(SHIM)
            (folder / "shims" / name).chmod(0o755)

    def run(self, script: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.folder}/shims:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "HF_TOKEN": "hf_of_the_caller",
            **environment,
        }
        return subprocess.run(
            ["bash", str(self.folder / script), *words],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def called(self, script: str, *words: str, **environment: str) -> dict[str, Any]:
        done = self.run(script, *words, **environment)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout.splitlines()[-1]))


def flags(words: list[str]) -> dict[str, list[str]]:
    """The arguments of a command line by name, each with its words."""
    found: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            found[word.removeprefix("--")] = []
        elif found:
            found[list(found)[-1]].append(word)
    return found


def variables(words: list[str]) -> dict[str, str]:
    """What `docker run` is told to set; a name alone is passed on from the caller."""
    given = (words[place + 1].partition("=") for place, word in enumerate(words) if word == "--env")
    return {name: value for name, _, value in given}


MATRIX = [
    (engine, adapters, quantization)
    for engine in ("vllm", "djl-lmi")
    for adapters in ("separate", "merged")
    for quantization in ("none", "fp8", *(("nf4",) if engine == "vllm" else ()))
]


@pytest.mark.parametrize(("engine", "adapters", "quantization"), MATRIX)
def test_the_program_has_arguments_that_its_release_takes(engine, adapters, quantization, tmp_path):
    overrides = [f"deployment.{key}" for key in (f"adapters={adapters}", f"quantization={quantization}")]
    machine = Machine(tmp_path, f"deployment.engine={engine}", *overrides, "deployment.kv_cache_dtype=fp8")
    words = machine.called("serve.sh", str(machine.model))["words"]
    whole = str(machine.model)
    assert words[:2] == ["serve", whole if adapters == "merged" else "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"]
    known = arguments("0.27.1" if quantization == "nf4" else "0.30.0") | {"host": {"kind": "str"}}
    given = flags(words[2:])
    assert [why for name, values in given.items() if (why := refused(name, values, known))] == []
    assert {"tensor-parallel-size", "served-model-name", "max-num-seqs", "kv-cache-dtype"} <= set(given)


@pytest.mark.parametrize("more", [(), (MERGED,), ("model.revision=abc", "data.chat_template=chatml")])
def test_the_program_has_the_arguments_that_the_endpoint_s_variables_become(more, tmp_path):
    machine, prefix = Machine(tmp_path, *more), facts("sagemaker-vllm")["prefix"]
    called, given = machine.called("serve.sh", str(machine.model)), endpoint(BASE, *more)["Environment"]
    words = called["words"]
    assert called["handler"] == given.get("CUSTOM_FASTAPI_INVOCATION_HANDLER")
    assert (called["handler"] is None) == (MERGED in more)
    expected = {
        name.removeprefix(prefix).lower().replace("_", "-"): [] if value == "true" else [value]
        for name, value in given.items()
        if name.startswith(prefix)
    }
    expected.pop("model")
    found = {name: values for name, values in flags(words[2:]).items() if name not in ("host", "port")}
    at_home = {
        name: [value.replace(MODEL_FOLDER, str(machine.model)) for value in values] for name, values in expected.items()
    }
    assert found == at_home
    assert list(found) == list(expected)


@pytest.mark.parametrize("more", [(), (MERGED,), LMI, (*LMI, MERGED)])
def test_the_container_is_the_endpoint_s(more, tmp_path):
    machine, container = Machine(tmp_path, *more), endpoint(BASE, *more)
    words = machine.called("docker-run.sh", str(machine.model))["words"]
    assert (words[0], words[-2:]) == ("run", [container["Image"], "serve"])
    hub = {} if MERGED in more else {"HF_HOME": "/opt/hub", "HF_TOKEN": ""}
    assert variables(words) == {**hub, **container["Environment"]}
    assert f"type=bind,source={machine.model},target={MODEL_FOLDER},readonly" in words
    assert "127.0.0.1:8080:8080" in words


def test_the_token_of_the_hub_is_the_caller_s_and_is_written_nowhere(tmp_path):
    machine = Machine(tmp_path)
    for script in ("serve.sh", "docker-run.sh"):
        called = machine.called(script, str(machine.model))
        assert called["token"] == "hf_of_the_caller"
        assert "hf_of_the_caller" not in json.dumps(called["words"])
    compiled = files(BASE, "serve", "sagemaker.environment={HF_HOME: /opt/ml/input/data/hub}")
    assert not any(b"HF_TOKEN=" in content for content in compiled.values())


def test_weights_of_a_bucket_are_a_folder_here(tmp_path):
    machine, base = Machine(tmp_path, "model.source=s3://bucket/qwen"), tmp_path / "base"
    for script in ("serve.sh", "docker-run.sh"):
        done = machine.run(script, str(machine.model))
        assert done.returncode != 0
        assert "BASE_MODEL: is the folder with the base model" in done.stderr
        done = machine.run(script, str(machine.model), BASE_MODEL=str(tmp_path))
        assert (done.returncode, done.stdout) == (1, "")
        assert f"BASE_MODEL={tmp_path} has no config.json" in done.stderr
    base.mkdir()
    (base / "config.json").write_text("{}")
    assert machine.called("serve.sh", str(machine.model), BASE_MODEL="base")["words"][1] == str(base)
    words = machine.called("docker-run.sh", str(machine.model), BASE_MODEL="base")["words"]
    assert f"type=bind,source={base},target={BASE_FOLDER},readonly" in words
    assert "HF_TOKEN" not in variables(words)


def test_a_base_model_at_hand_is_served_under_its_own_name(tmp_path):
    machine = Machine(tmp_path)
    words = machine.called("serve.sh", str(machine.model), BASE_MODEL="/data/qwen")["words"]
    assert words[1] == "/data/qwen"
    assert flags(words[2:])["served-model-name"] == ["deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"]


@pytest.mark.parametrize("script", ["serve.sh", "docker-run.sh"])
class TestModel:
    def test_it_is_named(self, script, tmp_path):
        done = Machine(tmp_path).run(script)
        assert (done.returncode, done.stdout) == (2, "")
        assert "name the folder of the trained model" in done.stderr

    @pytest.mark.parametrize("more", [(), (MERGED,)])
    def test_it_is_of_the_kind_that_is_served(self, script, more, tmp_path):
        machine = Machine(tmp_path, *more)
        for wrong in (tmp_path / "nowhere", tmp_path / "shims"):
            done = machine.run(script, str(wrong))
            assert (done.returncode, done.stdout) == (1, "")
            assert f"it has no {'config.json' if more else 'adapter_config.json'}" in done.stderr

    def test_a_variable_names_it_too(self, script, tmp_path):
        machine = Machine(tmp_path)
        words = machine.called(script, "--more", MODEL_DIR="my model", PORT="9090")["words"]
        assert any(str(machine.model) in word for word in words)
        assert "--more" in words
        assert any("9090" in word for word in words)

    @pytest.mark.parametrize("name", ['a"b', "a\\b", "a,b"])
    def test_a_path_that_json_or_a_mount_would_read_otherwise_is_refused(self, script, name, tmp_path):
        machine, other = Machine(tmp_path), tmp_path / name
        other.mkdir()
        (other / "adapter_config.json").write_text("{}")
        done = machine.run(script, str(other))
        assert (done.returncode, done.stdout) == (1, "")
        assert "rename the folder" in done.stderr

    def test_no_text_of_a_spec_is_run(self, script, tmp_path):
        hostile = [f"{key}={json.dumps(HOSTILE)}" for key in ("name", "model.id", "model.revision")]
        machine = Machine(tmp_path, *hostile)
        words = machine.called(script, str(machine.model))["words"]
        assert any(HOSTILE in word for word in words)
        assert not list(tmp_path.rglob("pwned"))


def test_further_arguments_come_last(tmp_path):
    machine = Machine(tmp_path)
    words = machine.called("serve.sh", str(machine.model), "--tensor-parallel-size", "1")["words"]
    assert words[-2:] == ["--tensor-parallel-size", "1"]
    words = machine.called("docker-run.sh", str(machine.model), "--gpus", "1")["words"]
    assert words[-4:-2] == ["--gpus", "1"]


def test_what_is_missing_is_said(tmp_path):
    machine = Machine(tmp_path)
    done = machine.run("docker-run.sh", str(machine.model), LOGGED_OUT="1")
    assert done.returncode == 1
    assert "aws ecr get-login-password --region us-east-1 | docker login" in done.stderr
    (tmp_path / "shims/vllm").unlink()
    done = machine.run("serve.sh", str(machine.model), PATH=f"{tmp_path}/shims:/usr/bin:/bin")
    assert (done.returncode, done.stdout) == (1, "")
    assert "run pip install vllm==0.27.1 bitsandbytes, or docker-run.sh" in done.stderr


def test_the_first_request_is_the_endpoint_s_and_is_shown(tmp_path):
    for more in ((), (MERGED,), LMI):
        request = files(BASE, "serve", *more, force=True)["request.json"]
        assert request == files(BASE, "deployment", *more, force=True)["request.json"]
    machine = Machine(tmp_path)
    for script, route in (("serve.sh", "v1/chat/completions"), ("docker-run.sh", "invocations")):
        done = machine.run(script, str(machine.model), PORT="9090")
        assert f"curl http://127.0.0.1:9090/{route} " in done.stderr
        assert f"-d @{tmp_path}/request.json" in done.stderr


def test_the_program_of_lmi_says_what_it_is():
    script = files(BASE, "serve", *LMI, force=True)["serve.sh"].decode()
    assert "the arguments that the endpoint's LMI hands to it; docker-run.sh starts LMI itself" in script
    assert "LMI" not in files(BASE, "serve")["serve.sh"].decode()


def test_the_image_needs_no_region():
    own = ("instance={gpu: A100-80, gpus: 8, parallelism: ddp}", "deployment.instance={gpu: A10G, gpus: 4}")
    script = files(BASE, "serve", *own, force=True)["docker-run.sh"].decode()
    assert "\nimage=763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm:0.27.1-" in script
    mine = "sagemaker.serving_image=registry.example.com/vllm:0.30.0-cu130"
    script = files(BASE, "serve", mine, "deployment.quantization=none", force=True)["docker-run.sh"].decode()
    assert "image=registry.example.com/vllm:0.30.0-cu130\n" in script
    assert "aws ecr" not in script


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("deployment=null", "deployment"),
        ("deployment.region=cn-north-1", "sagemaker.serving_image"),
    ],
)
def test_what_the_spec_lacks_is_said_at_its_key(override, key):
    more = ("deployment.quantization=none",) if "region" in override else ()
    assert ("HB040", key) in refusals(BASE, "serve", override, *more, force=True)


def test_what_the_engine_refuses_is_refused_here_too():
    assert ("HB043", "deployment.quantization") in refusals(BASE, "serve", LMI[0], force=True)


def test_the_seed_is_served():
    assert list(files(HEARTBEAT, "serve")) == ["docker-run.sh", "request.json", "serve.sh"]


@pytest.mark.parametrize("target", ["serve", "deployment", "cloudformation"])
def test_sglang_is_estimated_and_started_by_no_target(target):
    assert refusals(BASE, target, "deployment.engine=sglang") == [("HB542", "deployment.engine")]
