"""How FSDP shards reaches the shipped script: by its command line, and by hyperparameters.json."""

from __future__ import annotations

import ast
import json

from hbspec.api import compile_spec
from hbspec.plan.shipped_script import FSDP_VERSION
from hbspec.shipped import templates

SPEC = {
    "hbspec": 1,
    "name": "sharded",
    "model": {"id": "Qwen/Qwen2.5-7B"},
    "data": {"train": {"examples": 2000}, "tokens": {"mean": 300, "max": 600}},
    "hyperparameters": {
        "method": "lora",
        "learning_rate": 1e-4,
        "per_device_batch_size": 1,
        "gradient_accumulation_steps": 4,
        "max_length": 1024,
        "sync_each_batch": True,
    },
}


def launched(**instance):
    files = compile_spec({**SPEC, "instance": {"gpu": "A100-80", "gpus": 4, **instance}}, "launch")
    texts = {artifact.path.rpartition("/")[2]: artifact.content for artifact in files}
    return texts["launch.sh"], json.loads(texts["hyperparameters.json"])


def test_the_script_is_told_what_the_spec_says():
    shell, given = launched(parallelism="fsdp", fsdp_version=1, reshard_after_forward=False)
    text = shell if isinstance(shell, str) else shell.decode()
    assert "--FSDP_VERSION 1 --RESHARD_AFTER_FORWARD false" in text
    assert given["SYNC_EACH_BATCH"] == "true"


def test_and_nothing_where_it_says_nothing():
    shell, _ = launched(parallelism="fsdp")
    assert "FSDP_VERSION" not in (shell if isinstance(shell, str) else shell.decode())


def test_the_default_is_the_scripts():
    tree = ast.parse((templates() / "settings.py").read_text())
    found = [
        ast.literal_eval(node.value.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "FSDP_VERSION"
    ]
    assert found == [str(FSDP_VERSION)]
