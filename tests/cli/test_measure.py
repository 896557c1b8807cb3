"""`hbspec measure` around the measurement: what is handed to it, what it writes and prints, and its exit codes."""

from __future__ import annotations

import json
import os
import signal
from types import SimpleNamespace

import pytest
from made_records import SPEC, record_of_estimate, signed

from hbspec.api import estimate
from hbspec.cli import main
from hbspec.measure import MeasureError
from hbspec.plan.measurement_file import read_measurement


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """Every call of the measurement, which finds a record of an A10G unless `error` says otherwise."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_text(json.dumps(SPEC))
    estimates = estimate(SPEC)
    record = record_of_estimate(estimates)
    record["place"] |= {"named": ["NVIDIA A10G"], "driver": "570.1", "cuda": "12.8"}
    record["found"] |= {"warm_up_updates": 3, "tokens_per_second_per_gpu": 5700.0, "host_bytes": 3 * 10**9}
    interval = {"low": 0.05, "expected": 0.1, "high": 0.2}
    sizes = {
        f"{kind}_bytes": {"low": 1e9, "expected": 2e9, "high": 3e9} for kind in ("allocated", "reserved", "process")
    }
    record["predicted"] = {
        "step_seconds": interval,
        "tokens_per_second_per_gpu": interval,
        "devices": [{"index": 0, **sizes}],
    }
    calls = SimpleNamespace(made=[], error=None, record=signed(record), during=lambda folder: None)

    def measure(spec, folder, **arguments):
        calls.made.append({"spec": spec, "folder": folder, **arguments})
        (folder / "base").mkdir()
        (folder / "log.txt").write_text("something\n")
        calls.during(folder)
        if calls.error:
            raise calls.error
        return SimpleNamespace(record=calls.record, estimates=estimates, machine=None)

    monkeypatch.setattr("hbspec.measure.measure", measure)
    return calls


def test_the_record_is_written_and_what_was_seen_is_printed(measured, tmp_path, capsys):
    assert main(["measure", "spec.yaml", "--updates", "4", "--set", "hyperparameters.max_steps=9"]) == 0
    (call,) = measured.made
    assert (call["folder"], call["updates"], call["on_cpu"]) == (tmp_path / "build/measured/measure", 4, False)
    assert call["config"]["model_type"] == "qwen2"
    assert call["overrides"] == ("hyperparameters.max_steps=9",)
    assert not call["folder"].exists(), "nothing stays of weights and data"
    assert read_measurement(json.loads((tmp_path / "measured.measured.json").read_text())).gpu == "A10G"
    page = capsys.readouterr().out
    assert "Measured on: 1 x A10G (NVIDIA A10G)\n" in page
    assert "one update                 105 ms (100 ms to 110 ms)" in page
    assert "predicted: 50.0 ms to 200 ms (expected 100 ms)" in " ".join(page.split())
    assert page.endswith(
        "measured.measured.json: the record\n"
        "next: set calibration.record to ./measured.measured.json in a spec beside it\n"
    )


def test_json_is_the_record(measured, capsys):
    assert main(["measure", "spec.yaml", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == measured.record


def test_memory_that_ran_out_is_a_result(measured, capsys):
    found = {**measured.record["found"], "ran_out": "in update 2", "updates": []}
    measured.record = signed({**measured.record, "found": found})
    assert main(["measure", "spec.yaml"]) == 0
    assert "Out of memory: in update 2\n" in capsys.readouterr().out


@pytest.mark.parametrize(("misuse", "code"), [(False, 1), (True, 2)])
def test_a_job_that_fails(measured, misuse, code, tmp_path, capsys):
    measured.error = MeasureError("the job ended with exit code 3", misuse=misuse)
    assert main(["measure", "spec.yaml"]) == code
    assert capsys.readouterr().err == "hbspec: the job ended with exit code 3\n"
    left = sorted(path.name for path in (tmp_path / "build/measured/measure").iterdir())
    assert left == [".hbspec-work", "log.txt"], "the log stays"
    assert not list(tmp_path.glob("*.measured.json"))
    measured.error = None
    assert main(["measure", "spec.yaml"]) == 0, "and is in nobody's way"


def test_interrupted(measured, tmp_path):
    def interrupt(folder):
        raise KeyboardInterrupt

    measured.during = interrupt
    assert main(["measure", "spec.yaml"]) == 130
    assert [path.name for path in tmp_path.iterdir() if path.name != "build"] == ["spec.yaml"]
    assert not (tmp_path / "build/measured/measure").exists()


def test_terminated(measured, tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    measured.during = lambda folder: os.kill(os.getpid(), signal.SIGTERM)
    assert main(["measure", "spec.yaml"]) == 143
    assert not (tmp_path / "build/measured/measure").exists()
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--updates", "2"), "--updates 2: a spread needs at least 3"),
        (("--output", "there.json"), "there.json exists; give --force to replace it, or --output another name"),
        (("--output", "no/where.json"), "is a folder, or the folder that it is to be in does not exist"),
        (("--work", "there.json"), "there.json is not a folder; name another with --work"),
        (("--work", "full"), "full holds files that no measurement has left there"),
        (("--set", "model.id=nobody/knows"), "the model nobody/knows is not in the catalog"),
    ],
)
def test_misuse(measured, words, said, tmp_path, capsys):
    (tmp_path / "there.json").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").write_text("mine")
    assert main(["measure", "spec.yaml", *words]) == 2
    assert said in capsys.readouterr().err
    assert not measured.made
    assert (tmp_path / "there.json").read_text() == (tmp_path / "full/mine.txt").read_text() == "mine"


def test_standard_input(measured, capsys):
    assert main(["measure", "-"]) == 2
    assert capsys.readouterr().err == "hbspec: measure reads the spec several times: give the path of a file\n"


def test_a_record_is_replaced_with_force(measured, tmp_path):
    (tmp_path / "there.json").write_text("mine")
    assert main(["measure", "spec.yaml", "-o", "there.json", "--force"]) == 0
    assert json.loads((tmp_path / "there.json").read_text()) == measured.record


def test_two_at_once(measured, capsys):
    """The second says who is in its way, and leaves it alone."""
    codes = []
    measured.during = lambda folder: codes.append(main(["measure", "spec.yaml", "-o", "other.json"]))
    assert main(["measure", "spec.yaml"]) == 0
    assert codes == [2]
    assert "another hbspec measure works in build/measured/measure" in capsys.readouterr().err


def test_a_killed_one_is_cleared_away(measured, tmp_path):
    left = tmp_path / "build/measured/measure"
    (left / "base").mkdir(parents=True)
    (left / ".hbspec-work").touch()
    (left / "base/model.safetensors").write_text("half")
    measured.during = lambda folder: (_ for _ in ()).throw(AssertionError) if len(list(folder.iterdir())) > 3 else None
    assert main(["measure", "spec.yaml"]) == 0


def test_a_spec_that_is_broken(measured, capsys):
    assert main(["measure", "spec.yaml", "--set", "hyperparameters.lora_r=0"]) == 1
    assert "error[HB024]" in capsys.readouterr().err


def test_a_recorded_model(measured, tmp_path, capsys):
    (tmp_path / "own.model.json").write_text('{"hbspec_model": 1}')
    assert main(["measure", "spec.yaml", "--set", "model.config=./own.model.json"]) in (1, 2)
    assert not measured.made


def test_without_the_extra(measured, capsys, monkeypatch):
    monkeypatch.setattr("hbspec.cli.measure.find_spec", lambda name: None if name in ("torch", "trl") else object())
    assert main(["measure", "spec.yaml"]) == 2
    assert (
        capsys.readouterr().err == "hbspec: measure trains a model and needs torch, trl: pip install 'hbspec[train]'\n"
    )
