"""The compiled job in the place where SageMaker puts it: what it trains, counts, prints and leaves."""

from __future__ import annotations

import json
import re

import pytest
import torch  # noqa: F401 - the processes that are started need it
from job_container import TINY, Container, lay_out
from moto_strict import plain_server

pytestmark = pytest.mark.long  # two ranks train

RANKS = 2
ENDLESS = "--LR_SCHEDULER_TYPE constant"
"""A schedule under which a run over more updates is the same run, and goes on from the same checkpoints."""


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Container:
    with plain_server("ca-central-1") as server:
        return lay_out(tmp_path_factory.mktemp("container"), server.client("s3"))


@pytest.fixture(scope="module")
def log(container: Container) -> str:
    """What the job printed."""
    job = container.start(f"{TINY} --max-updates 2 {ENDLESS}")
    output, _ = job.communicate(timeout=300)
    assert job.returncode == 0, output[-4000:]
    return output


def test_the_entry_point_asks_for_every_gpu(log: str, container: Container) -> None:
    asked = (container.folder.parent / "asked").read_text().splitlines()
    assert asked == ["launcher.py", "--nproc_per_node", "8", "train.py", "--PARALLELISM", "ddp", "--METHOD", "qlora"]


def test_the_job_trains_and_saves_where_sagemaker_looks(log: str, container: Container) -> None:
    model = container.folder / "model"
    assert (model / "adapter_model.safetensors").stat().st_size > 0
    assert json.loads((model / "adapter_config.json").read_text())["r"] == 16
    assert container.checkpoints() == ["checkpoint-2"]


def test_what_it_counted_is_the_job_with_fewer_ranks(log: str, container: Container) -> None:
    counted = container.record
    assert (counted["ranks"], counted["wrapper"]) == (RANKS, "DistributedDataParallel")
    assert counted["examples_of_each_update"] == [1 * 4 * RANKS] * 2
    spelled = container.body["HyperParameters"]
    for name in ("LEARNING_RATE", "LORA_R", "LORA_DROPOUT", "MAX_LENGTH"):
        assert counted["settings"][name] == float(spelled[name])


def test_the_jobs_regexes_find_its_metrics(log: str, container: Container) -> None:
    definitions = container.body["AlgorithmSpecification"]["MetricDefinitions"]
    found = {
        metric["Name"]: [float(match[1]) for line in log.splitlines() if (match := re.search(metric["Regex"], line))]
        for metric in definitions
    }
    on_a_gpu = {"train:gpu_memory_bytes", "train:gpu_peak_allocated_bytes"}
    assert {name for name, values in found.items() if not values} == on_a_gpu
    run = container.record
    assert found["train:loss"] == pytest.approx([run["first_loss"], run["last_loss"]], rel=1e-4)
    assert found["train:learning_rate"][0] == 1e-4


def test_nothing_was_installed_from_elsewhere(log: str, container: Container) -> None:
    assert "ERROR" not in log
    assert "Installing collected packages" not in log
    assert container.failure == ""
