"""The wheel, in an environment of its own with the core dependencies only: what a user gets from `pip install`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from hbspec import __version__

pytestmark = pytest.mark.long  # it is built and installed

ROOT = Path(__file__).parents[2]
SPEC = "heartbeat.yaml"
PROFILE = "heartbeat.train.profile.json"


@dataclass(frozen=True)
class Installed:
    """`bin` is the environment's, `folder` an empty one beside it with a spec and its profile."""

    bin: Path
    folder: Path

    def hbspec(self, *words: str, expect: int = 0) -> str:
        done = subprocess.run([self.bin / "hbspec", *words], cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing which only this checkout has gets in unseen."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("src", "templates", "specs"):
        shutil.copytree(ROOT / name, source / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    environment, work = folder / "venv", folder / "work"
    venv.create(environment)
    pip = [sys.executable, "-m", "pip", "--python", environment / "bin/python"]
    done = subprocess.run(
        [*pip, "install", "--quiet", "--disable-pip-version-check", "--constraint", ROOT / "constraints.txt", wheel],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    work.mkdir()
    for name in (SPEC, PROFILE):
        shutil.copy(ROOT / "specs" / name, work)
    return Installed(environment / "bin", work)


def test_the_wheel_holds_the_templates_and_the_data_and_no_caches(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {path.name for path in (ROOT / "templates").iterdir() if path.is_file()}
    assert {f"hbspec/templates/{name}" for name in shipped} <= names
    folder = ROOT / "src/hbspec/catalog/data"
    data = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {f"hbspec/catalog/data/{name}" for name in data} <= names
    assert "hbspec/py.typed" in names
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    assert {name.split("/")[0] for name in names} == {"hbspec", f"hbspec-{__version__}.dist-info"}


def test_its_version(installed: Installed) -> None:
    assert __version__ in installed.hbspec("--version")


def test_the_tour_and_a_first_spec(installed: Installed) -> None:
    assert "pip install 'hbspec[train]'" in installed.hbspec("demo")
    installed.hbspec("init", "first.yaml", "--type", "ml.g5.2xlarge")
    assert installed.hbspec("check", "first.yaml") == "no errors\n"


def test_check_estimate_and_explain(installed: Installed) -> None:
    assert "no errors" in installed.hbspec("check", SPEC)
    plan = json.loads(installed.hbspec("estimate", SPEC, "--format", "json"))["plan"]
    assert plan["effective_batch_size"] == 32
    assert "idle-gpus" in installed.hbspec("explain", "HB101")


@pytest.mark.parametrize(
    ("target", "holds"),
    [
        ("sagemaker", ("create_training_job.json", "submit.sh", "source/train.py", "source/launch.sh")),
        ("launch", ("launch.sh", "hyperparameters.json", "source/train.py", "source/requirements.txt")),
        (
            "deployment",
            ("create_model.json", "create_endpoint_config.json", "update_endpoint.json", "deploy.sh", "teardown.sh"),
        ),
    ],
)
def test_every_target_compiles_from_it(target: str, holds: tuple[str, ...], installed: Installed) -> None:
    installed.hbspec("compile", SPEC, "--target", target, "--set", "evaluation=[]")
    folder = installed.folder / "build/heartbeat-deepseek-r1-qwen-32b" / target
    for name in holds:
        assert (folder / name).stat().st_size > 0
    if "source/train.py" in holds:
        assert (folder / "source/train.py").read_bytes() == (ROOT / "templates/train.py").read_bytes()


def test_data_are_read_with_the_modules_that_it_ships(installed: Installed) -> None:
    message = {"role": "user", "content": "q", "name": "x"}
    (installed.folder / "train.jsonl").write_text(json.dumps({"messages": [message]}), encoding="utf-8-sig")
    said = installed.hbspec("data", "check", "train.jsonl", expect=1)
    assert "error[HB053]" in said
    assert "error[HB059]" in said


def test_nothing_heavy_came_with_it(installed: Installed) -> None:
    heavy = ("torch", "transformers", "boto3", "botocore", "sagemaker", "jinja2", "numpy", "vl_convert")
    code = f"from importlib.util import find_spec; print([name for name in {heavy} if find_spec(name)])"
    done = subprocess.run([installed.bin / "python", "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_a_rehearsal_says_what_it_needs(installed: Installed) -> None:
    command = [installed.bin / "hbspec", "smoke", SPEC]
    done = subprocess.run(command, cwd=installed.folder, capture_output=True, text=True)
    assert done.returncode == 2
    assert "hbspec[train]" in done.stderr
    assert "Traceback" not in done.stderr
