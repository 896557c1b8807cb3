"""The scripts that are emitted: bash reads them, they start what they should, and no text of a spec is run by them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from compiled import AS_WRITTEN, BASE, FRAMEWORKS, HEARTBEAT, SHEBANG, TARGETS, body, files, project, refusals

from hbspec.targets import target_of
from hbspec.targets.aws import scripts

SHIM = (
    SHEBANG
    + """
import json, os, sys
program = os.path.basename(sys.argv[0])
if "list-training-jobs" in sys.argv and os.environ.get("STATUS"):
    print(sys.argv[sys.argv.index("--name-contains") + 1], os.environ["STATUS"], sep="\\t")
    sys.exit()
if "ModelArtifacts.S3ModelArtifacts" in sys.argv:
    mark = '"' if "json" in sys.argv else ""
    print(f"{mark}s3://bucket/job/output/model.tar.gz{mark}")
    sys.exit()
if any(word.startswith(("list-", "describe-alarms", "describe-scalable")) for word in sys.argv):
    sys.exit()
print(json.dumps({"program": program, "arguments": sys.argv[1:], "environment": dict(os.environ)}))
"""
)


def written(folder: Path, compiled: dict[str, bytes]) -> Path:
    for name, content in compiled.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def ran(folder: Path, script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A script's run in which nothing real is started: programs say how they were called."""
    shims = folder / "shims"
    shims.mkdir()
    for name in ("python", "aws"):
        (shims / name).write_text(SHIM)
        (shims / name).chmod(0o755)
    environment |= {"PATH": f"{shims}:{os.environ['PATH']}", "HOME": str(folder)}
    return subprocess.run(
        ["bash", str(folder / script), *arguments], env=environment, capture_output=True, text=True, timeout=300
    )


def started(folder: Path, script: str, *arguments: str, **environment: str) -> dict:
    """What a script starts last: the program, its arguments and its environment."""
    done = ran(folder, script, *arguments, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.one_in(4)
@pytest.mark.parametrize("spec", [AS_WRITTEN, HEARTBEAT, BASE], ids=lambda path: path.stem)
@pytest.mark.parametrize("target", TARGETS)
def test_bash_reads_every_script(spec, target, tmp_path):
    scripts = [path for path in files(spec, target, force=True) if path.endswith(".sh")]
    assert scripts
    for path in scripts:
        content = files(spec, target, force=True)[path]
        done = subprocess.run(["bash", "-n"], input=content, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b""), path


def test_several_processes_are_started_by_the_launcher(tmp_path):
    call = started(written(tmp_path, files(HEARTBEAT, "launch", force=True)), "launch.sh", "--train-dir", "my data")
    source = f"{tmp_path}/source"
    assert call["program"] == "python"
    assert call["arguments"][:4] == [f"{source}/launcher.py", "--nproc_per_node", "8", f"{source}/train.py"]
    assert call["arguments"][4:] == [
        *("--PARALLELISM", "ddp", "--METHOD", "qlora", "--config-dir", str(tmp_path), "--train-dir", "my data")
    ]


def test_one_process_is_plain_python(tmp_path):
    call = started(written(tmp_path, files(AS_WRITTEN, "launch", force=True)), "launch.sh")
    assert (call["program"], call["arguments"][0]) == ("python", f"{tmp_path}/source/train.py")
    assert "pipeline" in call["arguments"]


def test_the_launch_runs_from_any_folder(tmp_path, monkeypatch):
    folder = written(tmp_path / "job", files(HEARTBEAT, "launch", force=True))
    monkeypatch.chdir(tmp_path)
    call = started(folder, "launch.sh")
    assert f"{folder}/source/train.py" in call["arguments"]
    assert call["environment"]["PWD"] == str(tmp_path), "paths on the command line are the caller's"


def test_several_instances_find_each_other(tmp_path):
    compiled = files(BASE, "sagemaker", "instance.count=2", force=True)
    script = compiled["source/launch.sh"].decode()
    (tmp_path / "resourceconfig.json").write_text('{"hosts": ["algo-2", "algo-1"], "current_host": "algo-2"}')
    here = script.replace("/opt/ml/input/config/resourceconfig.json", str(tmp_path / "resourceconfig.json"))
    # python is the real one here: it reads the file
    here = here.replace("node_rank=$(python ", "node_rank=$(python3 ").replace("if [ -f requirements.txt ]", "if false")
    (tmp_path / "launch.sh").write_text(here)
    words = started(tmp_path, "launch.sh")["arguments"]
    assert words[: words.index("train.py")] == [
        *(
            "launcher.py",
            "--nnodes",
            "2",
            "--node_rank",
            "1",
            "--master_addr",
            "algo-1",
            "--master_port",
            "7777",
            "--nproc_per_node",
            "8",
        )
    ]


def test_several_machines_of_ones_own_are_told_which_they_are(tmp_path):
    folder = written(tmp_path, files(BASE, "launch", "instance.count=2", force=True))
    words = started(folder, "launch.sh", NODE_RANK="1", MASTER_ADDR="10.0.0.7")["arguments"]
    assert words[1 : words.index("--master_port")] == ["--nnodes", "2", "--node_rank", "1", "--master_addr", "10.0.0.7"]
    untold = subprocess.run(["bash", str(folder / "launch.sh")], capture_output=True, text=True)
    assert untold.returncode != 0
    assert "NODE_RANK: is the number of this machine" in untold.stderr


def test_the_container_script_exports_the_folders_and_installs_first():
    script = files(BASE, "sagemaker")["source/launch.sh"].decode()
    assert "export SM_CHANNEL_TRAIN=/opt/ml/input/data/train\n" in script
    assert script.index("pip install") < script.index("exec python")


def test_submitting_uploads_the_source_and_sends_the_body(tmp_path):
    call, name = started(written(tmp_path, files(BASE, "sagemaker")), "submit.sh"), body(BASE)["TrainingJobName"]
    assert call["arguments"] == [
        *("sagemaker", "create-training-job", "--region", "us-east-1"),
        *("--cli-input-json", "file://create_training_job.json", "--training-job-name", name),
    ]
    lines = files(BASE, "sagemaker")["submit.sh"].decode().splitlines()
    assert f"aws s3 cp --region us-east-1 --no-progress --recursive source/ s3://bucket/code/{name}/code/" in lines


@pytest.mark.parametrize("target", TARGETS)
def test_no_script_deletes_anything(target):
    for path, content in files(BASE, target).items():
        if path.endswith(".sh") and path != "teardown.sh":
            run = re.sub(
                rb"^ *echo '[^'\n]*'( \"\$stack\")?( >&2)?$", b"", content, flags=re.MULTILINE
            )  # only says how to delete
            assert not re.search(rb"--delete|(?<!--)\brm\b|s3 (rm|mv|sync)|delete-", run), path


def test_deploying_sends_the_three_bodies_in_order(tmp_path):
    folder = written(tmp_path, files(BASE, "deployment"))
    done = ran(folder, "deploy.sh", STATUS="Completed")
    assert done.returncode == 0, done.stderr
    calls = [json.loads(line)["arguments"] for line in done.stdout.splitlines() if line.startswith("{")]
    assert [words[1] for words in calls] == [
        *("create-model", "create-endpoint-config", "put-metric-alarm", "create-endpoint", "wait")
    ]


ENDS = {("submit.sh", "Completed"): 3, ("deploy.sh", ""): 1}  # teardown.sh finds nothing
HOSTILE = 'x\'; touch pwned; echo "$(touch pwned)`touch pwned`"'


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("target", "script", "overrides"),
    [
        ("launch", "launch.sh", [f"name={json.dumps('job' + chr(10) + 'touch pwned')}"]),
        ("launch", "launch.sh", [f"model.revision={json.dumps(HOSTILE)}"]),
        ("sagemaker", "submit.sh", [f"sagemaker.code={json.dumps('s3://bbb/;touch pwned;')}"]),
        ("sagemaker", "submit.sh", [f"sagemaker.code={json.dumps('s3://bbb/$(touch pwned)')}"]),
        ("sagemaker", "submit.sh", ["instance.region='us-east-1;touch pwned'", "sagemaker.image=x/y:1"]),
        ("sagemaker", "submit.sh", ["instance.region=$(touch pwned)", "sagemaker.image=x/y:1"]),
        ("sagemaker", "submit.sh", [f"sagemaker.checkpoints={json.dumps('s3://bbb/$(touch pwned)')}"]),
        (
            "deployment",
            "deploy.sh",
            [f"sagemaker.output={json.dumps(chr(34).join(('s3://bbb/', '$(touch pwned)`/')))}"],
        ),
        ("deployment", "deploy.sh", ["deployment.region='us-east-1;touch pwned'", "sagemaker.serving_image=x/vllm:1"]),
        ("deployment", "deploy.sh", ["deployment.region=$(touch pwned)", "sagemaker.serving_image=x/vllm:1"]),
        ("deployment", "teardown.sh", ["deployment.region=$(touch pwned)", "sagemaker.serving_image=x/vllm:1"]),
    ],
)
def test_no_text_of_a_spec_is_run(target, script, overrides, tmp_path):
    compiled = files(BASE, target, *overrides, force=True)
    for status in ("Failed", "Completed", ""):  # of the job's last attempt, where there is one
        done = ran(written(tmp_path / f"after{status}", compiled), script, STATUS=status)
        assert done.returncode == ENDS.get((script, status), 0), done.stderr
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize("path", sorted(Path(scripts.__file__).parent.glob("*.sh")), ids=lambda path: path.stem)
def test_the_region_is_a_word_of_a_command_and_never_in_quotes(path):
    """It is quoted for the shell already, and other quotes around it would let it be run."""
    for line in path.read_text(encoding="utf-8").splitlines():
        before, at, _ = line.partition("@at")
        assert not at or re.search(r'\baws [a-z0-9-]+ ("[a-z-]+\$1s?"|(wait )?[a-z-]+) $', before), line
        assert not at or "echo" not in before, line


@pytest.mark.parametrize("reads", ["arguments", "environment"])
def test_hyperparameters_of_ones_own_script_arrive_as_written(reads, tmp_path):
    values = f"{{note: {json.dumps(HOSTILE)}, empty: '', dash: -x}}"
    (tmp_path / "project").mkdir()
    spec = project(tmp_path / "project", f"reads: {reads}, hyperparameters: {values}")
    call = started(written(tmp_path / "out", files(spec, "launch", force=True)), "launch.sh", "--more")
    assert not list(tmp_path.rglob("pwned"))
    handed = call["environment"]
    if reads == "arguments":
        words = call["arguments"]
        handed = {
            "note": words[words.index("--note") + 1],
            "empty": words[words.index("--empty") + 1],
            "dash": words[-2],
        }
        assert call["environment"]["SM_HP_NOTE"] == HOSTILE
        assert words[-1] == "--more"
    assert (handed["note"], handed["empty"], handed["dash"]) == (HOSTILE, "", "-x")


@pytest.mark.parametrize("target", ["launch", "sagemaker"])
@pytest.mark.parametrize("name", ["a;touch pwned", "1st", "warm-up", "", "a=b", "é"])
def test_a_name_that_no_variable_can_have_is_refused(target, name, tmp_path):
    spec = project(tmp_path, f"reads: environment, hyperparameters: {{{json.dumps(name)}: 1}}")
    assert refusals(spec, target, force=True) == [("HB044", f"script.hyperparameters.{name}")]


@pytest.mark.parametrize("target", TARGETS)
def test_a_folder_of_the_same_name_elsewhere_is_not_entered(target: str, tmp_path: Path) -> None:
    """`cd` looks for a relative folder along CDPATH first."""
    here, elsewhere = written(tmp_path / "here/job", files(HEARTBEAT, target)), tmp_path / "elsewhere/job"
    elsewhere.mkdir(parents=True)
    shims = tmp_path / "shims"
    shims.mkdir()
    for name in ("python", "aws", "vllm", "sbatch", "sky", "kubectl", "trl", "accelerate"):
        (shims / name).write_text(f'#!/bin/sh\npwd >> "{tmp_path}/places"\necho "$0 $*" >> "{tmp_path}/calls"\n')
        (shims / name).chmod(0o755)
    environment = {"PATH": f"{shims}:{os.environ['PATH']}", "CDPATH": f"{tmp_path}/elsewhere:."} | {
        "CLAIM": "c",
        "IMAGE": "i",
    }
    script, model = target_of(target).script, tmp_path / "here/model"
    model.mkdir()
    (model / "adapter_config.json").touch()
    subprocess.run(
        ["bash", f"job/{script}", *(["model"] if target_of(target).asks else [])],
        cwd=tmp_path / "here",
        env=environment,
        capture_output=True,
        timeout=300,
    )
    places, calls = (set((tmp_path / name).read_text().splitlines()) for name in ("places", "calls"))
    if target in FRAMEWORKS:  # in a folder of the run's own, beside what is called the same
        places = {str(Path(place).parent) for place in places}
    elsewhere_than_here = ("launch", "serve", "slurm", *FRAMEWORKS)
    assert places == {str(here.parent if target in elsewhere_than_here else here)}
    assert not any(str(elsewhere) in call for call in calls)


def test_a_stop_while_requirements_are_installed_is_orderly(tmp_path: Path) -> None:
    written(tmp_path, files(HEARTBEAT, "sagemaker"))
    shims = tmp_path / "shims"
    shims.mkdir()
    (shims / "python").write_text(f'#!/bin/sh\necho "$*" >> "{tmp_path}/calls"\nexec sleep 600\n')
    (shims / "python").chmod(0o755)
    environment = {"PATH": f"{shims}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    job = subprocess.Popen(
        ["bash", "source/launch.sh"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    )
    calls = tmp_path / "calls"
    while not (calls.exists() and calls.read_text().endswith("\n")):
        assert job.poll() is None
        time.sleep(0.01)
    job.send_signal(signal.SIGTERM)
    _, errors = job.communicate(timeout=300)
    assert (job.returncode, errors) == (0, "stopped before training began\n")
    (call,) = calls.read_text().splitlines()
    assert "pip install" in call


@pytest.mark.one_in(3)
@pytest.mark.parametrize("line_end", ["", "\r"])
@pytest.mark.parametrize(
    ("listed", "code"), [("", 0), ("-123456789012 Completed", 0), ("-2 Failed", 0), ("-2 Completed", 3), (" Failed", 0)]
)
def test_an_attempt_is_a_short_number_and_a_status_is_a_word(
    listed: str, code: int, line_end: str, tmp_path: Path
) -> None:
    """A digest may be all digits: `job-123456789012` is another job, and no attempt at `job`."""
    written(tmp_path, files(HEARTBEAT, "sagemaker"))
    shims = tmp_path / "shims"
    shims.mkdir()
    name = body(HEARTBEAT)["TrainingJobName"]
    answer = f"{name}{listed}{line_end}" if listed else ""
    (shims / "aws").write_text(f"#!/bin/sh\ncase \"$*\" in *list-training-jobs*) printf '%s\\n' '{answer}';; esac\n")
    (shims / "aws").chmod(0o755)
    environment = {"PATH": f"{shims}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(["bash", str(tmp_path / "submit.sh")], env=environment, capture_output=True, timeout=300)
    assert done.returncode == code, done.stderr


@pytest.mark.parametrize("how", ["bash < ../job/submit.sh", ". ../job/submit.sh", "bash go.sh"])
def test_another_compile_is_never_submitted_under_its_name(how: str, tmp_path: Path) -> None:
    job, other = written(tmp_path / "job", files(HEARTBEAT, "sagemaker")), tmp_path / "other"
    written(other, files(HEARTBEAT, "sagemaker", "hyperparameters.lora_r=8"))
    (other / "go.sh").symlink_to("../job/submit.sh")
    shims = tmp_path / "shims"
    shims.mkdir()
    (shims / "aws").write_text(f'#!/bin/sh\npwd >> "{tmp_path}/places"\n')
    (shims / "aws").chmod(0o755)
    environment = {"PATH": f"{shims}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(["bash", "-c", how], cwd=other, env=environment, capture_output=True, text=True, timeout=300)
    places = tmp_path / "places"
    if places.exists():  # its own folder was found
        assert set(places.read_text().splitlines()) == {str(job)}
    else:
        assert done.returncode == 1
        assert "run it from its own folder" in done.stderr
