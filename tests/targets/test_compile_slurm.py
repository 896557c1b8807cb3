"""Target `slurm`: what Slurm is asked, what is refused, and a real cluster that runs, stops and requeues the job."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import slurm_cluster
from compiled import BASE, HEARTBEAT, files, project, refusals

from hbspec.api import compile_spec, estimate
from hbspec.catalog import catalog
from hbspec.smoke.sample import training_lines

ELSEWHERE = ("instance.type=null", "instance.gpu=A100-80", "instance.gpus=2")
TINY = """
hbspec: 1
name: tiny
model: {id: Qwen/Qwen2.5-0.5B-Instruct}
data: {train: {examples: 40}, tokens: {mean: 100, max: 200}}
instance: {gpu: A100-80, gpus: 2, parallelism: ddp, max_runtime: 4h}
hyperparameters: {method: lora, learning_rate: 1e-4, per_device_batch_size: 1, max_length: 256, max_steps: 8}
"""
WORDS = ("--train-dir", "train", "--tiny", "--model-config", "config.json", "--max-updates", "6")
RANKS = """
import os, signal, sys, time
from pathlib import Path
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
folder, rank, start = Path(os.environ["RUN_DIR"]), os.environ["RANK"], os.environ.get("SLURM_RESTART_COUNT", 0)
first = not (folder / f"rank-{rank}").exists()
with (folder / f"rank-{rank}").open("a") as log:
    log.write(f"{rank} of {os.environ['WORLD_SIZE']}, {sys.argv[-1]}, restart {start}\\n")
time.sleep(600 if first else 0)
"""


def asked(spec: Path, *overrides: str) -> dict[str, str]:
    """What is asked of Slurm, by option."""
    script = files(spec, "slurm", *overrides, force=True)["job.sbatch"].decode()
    return dict(re.findall(r"^#SBATCH --([a-z-]+)=?(.*)$", script, re.MULTILINE))


def test_an_instance_type_is_a_whole_machine() -> None:
    told = asked(HEARTBEAT)
    assert {name: told[name] for name in ("nodes", "ntasks-per-node", "gpus-per-node", "mem", "time", "signal")} == {
        "nodes": "1",
        "ntasks-per-node": "1",
        "gpus-per-node": "8",
        "mem": "0",
        "time": "4:00:00",
        "signal": "B:USR1@180",
    }
    assert {"exclusive", "requeue"} <= told.keys()
    assert told["dependency"] == "singleton"  # two jobs never write the same checkpoints


def test_gpus_alone_are_a_part_of_one() -> None:
    told = asked(HEARTBEAT, *ELSEWHERE, "instance.host_memory=96 GiB", "instance.count=3", "instance.max_runtime=26h")
    assert (told["nodes"], told["gpus-per-node"], told["time"]) == ("3", "2", "26:00:00")
    assert (told["cpus-per-task"], told["mem"]) == ("4", "98304M")
    assert "exclusive" not in told


def test_partition_and_account_are_the_author_s() -> None:
    written = files(HEARTBEAT, "slurm")
    assert not {"partition", "account", "qos"} & asked(HEARTBEAT).keys()
    assert b"SBATCH_PARTITION" in written["submit.sh"]
    assert b"SBATCH_ACCOUNT" in written["submit.sh"]


@pytest.mark.parametrize(
    ("override", "code", "key"),
    [
        ("instance.max_runtime=null", "HB040", "instance.max_runtime"),
        ("instance.spot=true", "HB542", "instance.spot"),
        ("instance.retries=3", "HB542", "instance.retries"),
        ("instance.volume=500 GB", "HB542", "instance.volume"),
        ("instance.keep_alive=10m", "HB542", "instance.keep_alive"),
        ("sagemaker.environment={NCCL_DEBUG: INFO}", "HB542", "sagemaker.environment"),
    ],
)
def test_what_slurm_cannot_be_told_is_refused_at_its_key(override: str, code: str, key: str) -> None:
    more = ("instance.max_wait=5h",) if "spot" in override else ()
    found = refusals(BASE, "slurm", override, *more, force=True)
    assert [entry for entry in found if entry[0] in ("HB040", "HB542")] == [(code, key)]


def test_a_secret_is_asked_for_and_never_written(tmp_path: Path) -> None:
    arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:hub-AbCdEf"
    written = files(BASE, "slurm", f"sagemaker.secrets={{HF_TOKEN: '{arn}'}}")
    assert all(arn.encode() not in content for content in written.values())
    (tmp_path / "submit.sh").write_bytes(written["submit.sh"])
    environment = {name: value for name, value in os.environ.items() if name != "HF_TOKEN"}
    done = subprocess.run(["bash", str(tmp_path / "submit.sh")], env=environment, capture_output=True, text=True)
    assert done.returncode != 0
    assert "HF_TOKEN: is a secret of the job" in done.stderr
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_the_folder_is_that_of_what_is_learnt() -> None:
    """Other limits are the same job, which finds its checkpoints; another learning rate is another job."""
    name = asked(BASE)["job-name"]
    assert asked(BASE, "instance.max_runtime=8h", "monitoring={gradient_norm: {max: 5}}")["job-name"] == name
    assert asked(BASE, "hyperparameters.learning_rate=2e-4")["job-name"] != name
    assert re.fullmatch(r"base-[0-9a-f]{12}", name)


# The rest runs on a cluster.

LACKS = slurm_cluster.missing()
on_a_cluster = pytest.mark.skipif(bool(LACKS), reason=f"no cluster of Slurm can be started here: {', '.join(LACKS)}")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory):
    with slurm_cluster.cluster(tmp_path_factory.mktemp("cluster")) as environment:
        # a node of the test is not a whole machine's worth of memory
        yield {**environment, "PATH": f"{Path(sys.executable).parent}:{environment['PATH']}", "OMP_NUM_THREADS": "1"}


class Submitted:
    """A compiled folder that was submitted to the cluster."""

    def __init__(self, folder: Path, spec: Path, environment: dict[str, str], *arguments: str) -> None:
        for artifact in compile_spec(spec, "slurm", force=True):
            path = folder / "the job" / artifact.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(artifact.content)
            path.chmod(0o755 if artifact.executable else 0o644)
        self.environment, self.run = environment, folder / "its 100% own folder"
        done = self._client(str(folder / "the job/submit.sh"), *arguments, cwd=folder, RUN_DIR=str(self.run))
        self.number = done.split()[-1]

    def _client(self, *command: str, cwd: Path | None = None, **more: str) -> str:
        done = subprocess.run(command, env={**self.environment, **more}, cwd=cwd, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def state(self) -> str:
        return re.search(r"JobState=(\S+)", self._client("scontrol", "show", "job", self.number))[1]

    def log(self) -> str:
        path = self.run / f"slurm-{self.number}.log"
        return path.read_text() if path.exists() else ""

    def until(self, holds, seconds: float = 300) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, (self.state(), self.log())
            time.sleep(0.2)

    def notice(self) -> None:
        """What Slurm sends before the time limit."""
        self._client("scancel", "--signal=USR1", "--batch", self.number)


@on_a_cluster
# a real cluster starts, stops and starts again, which a loaded machine does slowly
@pytest.mark.long
def test_a_job_that_is_told_to_stop_is_requeued_and_started_again(cluster, tmp_path: Path) -> None:
    spec = project(tmp_path, "reads: arguments", **{"train.py": RANKS})
    text = re.sub(
        r"instance:\n(  .*\n)+",
        "instance: {gpu: A100-40, gpus: 2, parallelism: ddp, max_runtime: 4h}\n",
        spec.read_text(),
    )
    spec.write_text(text)
    job = Submitted(tmp_path, spec, cluster, "last word")
    ranks = [job.run / "rank-0", job.run / "rank-1"]
    job.until(lambda: all(path.exists() and path.read_text() for path in ranks))
    time.sleep(2.5)  # until the launcher passes signals on
    job.notice()
    job.until(lambda: job.state() == "COMPLETED")
    assert [path.read_text().splitlines() for path in ranks] == [
        [f"{rank} of 2, last word, restart {start}" for start in (0, 1)] for rank in (0, 1)
    ]
    assert "requeued, to go on from the checkpoint" in job.log()
    assert int((job.run / f"seconds-{job.number}").read_text()) >= 2  # of both starts


@on_a_cluster
@pytest.mark.long
def test_two_ranks_train_stop_with_a_checkpoint_and_go_on(cluster, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(TINY)
    (tmp_path / "config.json").write_text(json.dumps(catalog().models.config("Qwen/Qwen2.5-0.5B-Instruct")))
    (tmp_path / "train").mkdir()
    (tmp_path / "train/data.jsonl").write_text(training_lines(estimate(spec).analysis.spec.data))
    job = Submitted(tmp_path, spec, cluster, *WORDS)
    job.until(lambda: "hbspec: step=2 " in job.log())
    job.notice()
    job.until(lambda: job.state() in ("COMPLETED", "FAILED"))
    log, record = job.log(), json.loads((job.run / "output/run.json").read_text())
    assert (job.state(), record["ranks"], record["last_step"], record["stopped_by"]) == ("COMPLETED", 2, 6, None), log
    assert "a new start resumes there" in log
    assert record["resumed_from_step"] >= 2
    assert (job.run / "model/adapter_config.json").exists()
