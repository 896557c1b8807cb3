"""Target `skypilot`: the task by SkyPilot's own schemas, what it asks for, and what is refused."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from compiled import BASE, HEARTBEAT, files, project, refusals
from jsonschema import Draft202012Validator

SCHEMAS = json.loads(Path(__file__).with_name("skypilot_schemas.json").read_text())
"""Of the package that it names. `case_insensitive_enum` is SkyPilot's own word: the texts below are its capitals."""
GPUS = ("instance.type=null", "instance.gpu=A100-80", "instance.gpus=4", "instance.price=2 USD/h")


def task(*overrides: str, spec: Path = BASE) -> dict[str, Any]:
    return dict(yaml.safe_load(files(spec, "skypilot", *overrides, force=True)["task.yaml"]))


def problems(values: dict[str, Any]) -> list[str]:
    """What SkyPilot's schemas refuse in a task: itself, its resources and its mounts of storage."""
    mounts = [mount for mount in values["file_mounts"].values() if isinstance(mount, dict)]
    judged = [("task", values), ("resources", values["resources"]), *(("storage", mount) for mount in mounts)]
    found = [error.message for name, part in judged for error in Draft202012Validator(SCHEMAS[name]).iter_errors(part)]
    modes = SCHEMAS["storage"]["properties"]["mode"]["case_insensitive_enum"]
    return found + [mount["mode"] for mount in mounts if mount["mode"] not in modes]


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("instance.count=2", "instance.volume=500 GB", "instance.retries=3"),
        ("instance.spot=true", "instance.max_wait=9h"),
        (*GPUS, "instance.host_memory=200 GB"),
        ("sagemaker.secrets={HF_TOKEN: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:hub-AbCdEf'}",),
    ],
)
def test_skypilot_s_schemas_accept_it(overrides: tuple[str, ...]) -> None:
    assert problems(task(*overrides)) == []


@pytest.mark.parametrize(
    ("where", "key", "value"),
    [("task", "num_node", 1), ("resources", "use_spot", "yes"), ("resources", "infra", "amazon/us-east-1")],
)
def test_what_they_refuse_is_seen(where: str, key: str, value: object) -> None:
    values = task()
    (values if where == "task" else values["resources"])[key] = value
    assert problems(values)


def test_a_type_is_one_of_ec2_in_its_region() -> None:
    told = task(spec=HEARTBEAT)
    assert told["resources"] == {
        "infra": "aws/ca-central-1",
        "instance_type": "p4d.24xlarge",
        "use_spot": False,
        "job_recovery": {"recover_on_exit_codes": [75]},
    }
    assert told["num_nodes"] == 1
    assert told["file_mounts"]["/opt/ml/input/data/train"] == "s3://heartbeat/train/"


def test_gpus_are_wherever_they_are_found() -> None:
    told = task(*GPUS, "instance.spot=true", "instance.count=2", "instance.retries=3", "instance.host_memory=200 GB")
    assert told["resources"]["accelerators"] == {"A100-80GB": 4}
    assert told["resources"]["memory"] == "200+"
    assert (told["resources"]["use_spot"], told["num_nodes"]) == (True, 2)
    assert told["resources"]["job_recovery"]["max_restarts_on_errors"] == 3


def test_the_job_writes_into_its_own_folder_of_the_bucket() -> None:
    """A cache stands before the bucket: a plain mount of S3 cannot rename, and takes no folder of a bucket."""
    told = task()
    assert told["file_mounts"]["/opt/ml/bucket"] == {"source": "s3://bucket", "mode": "MOUNT_CACHED"}
    assert f"RUN_DIR=/opt/ml/bucket/checkpoints/{told['name']}\n" in told["run"]


def test_waiting_ends_with_max_wait() -> None:
    written = files(BASE, "skypilot", "instance.spot=true", "instance.max_wait=9h")
    told = yaml.safe_load(written["task.yaml"])
    assert told["envs"] == {"SUBMITTED": None}
    assert b' --env SUBMITTED="$(date +%s)" ' in written["submit.sh"]
    run = told["run"].replace("./launch.sh", "printf started")
    for ago, code, said in ((9 * 3600, 1, ""), (60, 0, "started")):
        script = f"SUBMITTED=$(($(date +%s) - {ago}))\n{run}"
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (code, said)


def test_a_secret_is_named_without_its_value() -> None:
    arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:hub-AbCdEf"
    written = files(BASE, "skypilot", f"sagemaker.secrets={{HF_TOKEN: '{arn}'}}")
    assert yaml.safe_load(written["task.yaml"])["secrets"] == {"HF_TOKEN": None}
    assert b" --secret HF_TOKEN " in written["submit.sh"]
    assert all(arn.encode() not in content for content in written.values())


@pytest.mark.parametrize(
    ("overrides", "code", "key"),
    [
        (("instance.max_runtime=null",), "HB040", "instance.max_runtime"),
        (("sagemaker.output=null", "sagemaker.checkpoints=null"), "HB040", "sagemaker.output"),
        (("data.train.uri=null",), "HB040", "data.train.uri"),
        (("data.validation.uri=gs://other/validation",), "HB542", "data.validation.uri"),
        (("instance.keep_alive=10m",), "HB542", "instance.keep_alive"),
        ((*GPUS, "instance.gpu=K80"), "HB542", "instance.gpu"),
        (("sagemaker.environment={NCCL_DEBUG: INFO}",), "HB542", "sagemaker.environment"),
    ],
)
def test_what_it_cannot_be_told_is_refused_at_its_key(overrides: tuple[str, ...], code: str, key: str) -> None:
    found = refusals(BASE, "skypilot", *overrides, force=True)
    assert [entry for entry in found if entry[0] in ("HB040", "HB542")] == [(code, key)]


def test_your_own_script_gets_the_folders_in_sagemaker_s_variables(tmp_path: Path) -> None:
    told = task(spec=project(tmp_path, "reads: arguments"))
    for name in ("SM_CHANNEL_TRAIN=/opt/ml/input/data/train", 'SM_MODEL_DIR="$RUN_DIR/model"'):
        assert f"export {name}" in told["run"]
    assert "requirements" not in told["setup"]
