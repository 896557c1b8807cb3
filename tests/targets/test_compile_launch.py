"""Target `launch`, run for real from another folder: what the script gets is what the spec says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hbspec.api import compile_spec

SCRIPT = "import json, os, sys\nprint(json.dumps([sys.argv[1:], os.environ.get('LEARNING_RATE'), os.getcwd()]))\n"
SPEC = """
hbspec: 1
name: own-script
model: {{id: Qwen/Qwen2.5-0.5B}}
data: {{train: {{examples: 100}}, tokens: {{mean: 100, max: 200}}}}
instance: {{type: ml.g5.2xlarge, region: us-east-1, max_runtime: 4h}}
script: {{entry_point: my train.py, source_dir: ./src, reads: {reads}, hyperparameters: {{note: "a b$c"}}}}
hyperparameters: {{learning_rate: 1e-4, per_device_batch_size: 1, max_length: 256, max_steps: 10}}
"""


@pytest.fixture
def run(tmp_path):
    def run(reads: str) -> list:
        (tmp_path / "src").mkdir()
        (tmp_path / "src" / "my train.py").write_text(SCRIPT)
        (tmp_path / "spec.yaml").write_text(SPEC.format(reads=reads))
        out = tmp_path / "an out folder"
        for artifact in compile_spec(tmp_path / "spec.yaml", "launch"):
            path = out / artifact.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(artifact.content)
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        done = subprocess.run(
            ["bash", str(out / "launch.sh"), "--more", "x y"],
            cwd=elsewhere,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=True,
        )
        import json

        arguments, rate, folder = json.loads(done.stdout)
        assert folder == str(elsewhere)  # folders that are named on the command line stay the caller's
        return [arguments, rate]

    return run


def test_arguments(run):
    arguments, rate = run("arguments")
    assert arguments[:4] == ["--MODEL_ID", "Qwen/Qwen2.5-0.5B", "--LEARNING_RATE", "1e-4"]
    assert arguments[-4:] == ["--note", "a b$c", "--more", "x y"]
    assert rate is None


def test_environment(run):
    arguments, rate = run("environment")
    assert arguments == ["--more", "x y"]
    assert rate == "1e-4"


def test_without_a_folder_of_data_it_says_what_to_pass(tmp_path):
    """The real script, started on a machine that is none of SageMaker's."""
    base = Path(__file__).parents[1] / "rules/base.yaml"
    for artifact in compile_spec(base, "launch", overrides=["instance.parallelism=pipeline"], force=True):
        path = tmp_path / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(artifact.content)
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    command = ["bash", str(tmp_path / "launch.sh"), "--model-dir", "model", "--checkpoint-dir", "checkpoints"]
    done = subprocess.run(
        [*command, "--output-data-dir", "out"],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "train.py: the folder /opt/ml/input/data/train to train on does not exist: pass --train-dir FOLDER\n"
    )


RANKS = "import os\nos.write(1, f\"{os.environ['RANK']} of {os.environ['WORLD_SIZE']}\\n\".encode())\n"


def test_the_author_s_script_runs_once_for_each_gpu(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "my train.py").write_text(RANKS)
    (tmp_path / "spec.yaml").write_text(SPEC.format(reads="environment"))
    overrides = ("instance.type=ml.g5.12xlarge", "instance.parallelism=ddp")
    for artifact in compile_spec(tmp_path / "spec.yaml", "launch", overrides=overrides):
        path = tmp_path / "out" / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(artifact.content)
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        ["bash", str(tmp_path / "out/launch.sh")], env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == [f"{rank} of 4" for rank in range(4)]


def test_the_allocator_is_told_what_the_spec_says(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "my train.py").write_text(SCRIPT)
    (tmp_path / "spec.yaml").write_text(SPEC.format(reads="arguments"))
    told = ["software.allocator=expandable_segments:True"]
    made = compile_spec(tmp_path / "spec.yaml", "launch", overrides=told)
    files = {file.path: file.content.decode() for file in made}
    assert "export PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True" in files["launch.sh"]
