"""`hbspec compile`: everything or nothing, and never over somebody's work."""

from __future__ import annotations

import json
import shlex
import subprocess

import pytest

BAD = ("--set", "budget.max_cost=1 USD")


def tree(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("target", ["sagemaker", "launch"])
def test_a_target_goes_to_its_own_folder(hbspec, target):
    code, out, err = hbspec("compile", "job.yaml", "--target", target)
    assert (code, err) == (0, "")
    folder = hbspec.folder / "build" / "my-first-job" / target
    lines = out.splitlines()
    assert lines[0] == f"build/my-first-job/{target}"
    assert lines[-1].startswith(f"next: bash build/my-first-job/{target}/")
    assert {line.strip() for line in lines[1:-1]} == tree(folder).keys() - {".hbspec.json"}


def test_the_same_spec_gives_the_same_bytes(hbspec):
    for name in ("a", "b"):
        assert hbspec("compile", "job.yaml", "-o", name)[0] == 0
    assert tree(hbspec.folder / "a") == tree(hbspec.folder / "b")
    assert hbspec("compile", "job.yaml", "-o", "a")[0] == 0
    assert tree(hbspec.folder / "a") == tree(hbspec.folder / "b")


def test_from_standard_input(hbspec):
    spec = (hbspec.folder / "job.yaml").read_bytes()
    assert hbspec("compile", "-", "-o", "out", stdin=spec)[0] == 0
    assert hbspec("compile", "job.yaml", "-o", "named")[0] == 0
    assert tree(hbspec.folder / "out") == tree(hbspec.folder / "named")


def test_what_is_no_longer_part_is_removed(hbspec):
    hbspec("compile", "job.yaml", "-t", "launch", "-o", "out")
    code, out, _ = hbspec("compile", "job.yaml", "-t", "sagemaker", "-o", "out")
    assert code == 0
    assert "  launch.sh (removed: no longer part of the target)\n" in out
    assert not (hbspec.folder / "out/launch.sh").exists()


def test_a_spec_with_errors_is_not_compiled(hbspec):
    code, out, err = hbspec("compile", "job.yaml", *BAD)
    assert (code, out) == (1, "")
    assert "error[HB" in err
    assert not (hbspec.folder / "build").exists()


def test_unless_it_is_forced_and_then_it_says_so(hbspec):
    code, out, err = hbspec("compile", "job.yaml", *BAD, "--force", "-o", "out")
    assert code == 0
    assert out.endswith("\nforced: the spec has errors\n")
    assert "error[HB" in err
    assert "--force" in (hbspec.folder / "out/FORCED.txt").read_text()


def test_a_key_that_the_target_needs(hbspec):
    code, out, err = hbspec("compile", "job.yaml", "--set", "sagemaker.role=null", "-o", "out")
    assert (code, out) == (1, "")
    assert "HB040" in err
    assert "sagemaker.role" in err
    assert not (hbspec.folder / "out").exists()


def test_somebody_s_file_is_named_and_kept(hbspec):
    hbspec.write("out/launch.sh", "mine\n")
    code, out, err = hbspec("compile", "job.yaml", "-t", "launch", "-o", "out")
    assert (code, out) == (1, "")
    assert err.startswith("out: error[HB045] not-our-file: out holds files that hbspec did not write: launch.sh\n")
    assert tree(hbspec.folder / "out") == {"launch.sh": b"mine\n"}


def test_a_folder_that_may_not_be_written(hbspec):
    hbspec.write("file", "")
    code, out, err = hbspec("compile", "job.yaml", "-o", "file/out")
    assert (code, out) == (1, "")
    assert "HB046" in err


def test_a_missing_spec(hbspec):
    code, out, err = hbspec("compile", "nowhere.yaml")
    assert (code, out) == (2, "")
    assert "`nowhere.yaml` does not exist" in err


@pytest.mark.parametrize("name", ["../up", "..", "a/b", "/abs"])
def test_a_name_never_leads_out_of_the_build_folder(hbspec, name):
    before = sorted(hbspec.folder.parent.rglob("*"))  # by name: other tests leave huge files there
    code, _, err = hbspec("compile", "job.yaml", "-t", "launch", "--set", f"name={name}", "--force")
    assert code == 2
    assert err.splitlines()[-1] == f"hbspec: the name {name!r} cannot be used as a folder name; name a folder with -o"
    assert sorted(hbspec.folder.parent.rglob("*")) == before


def test_an_unknown_target(hbspec):
    code, _, err = hbspec("compile", "job.yaml", "--target", "sagemakr")
    assert code == 2
    assert "did you mean sagemaker?" in err


def test_the_list_of_files_has_their_hashes(hbspec):
    from hashlib import sha256

    hbspec("compile", "job.yaml", "-o", "out")
    found = tree(hbspec.folder / "out")
    listed = json.loads(found.pop(".hbspec.json"))["files"]
    assert listed == {path: sha256(content).hexdigest() for path, content in found.items()}


@pytest.mark.parametrize(("target", "script"), [("sagemaker", "submit.sh"), ("deployment", "deploy.sh")])
def test_the_next_command_is_printed_as_a_shell_takes_it(hbspec, target, script):
    deployed = ("--set", "deployment={instance: {type: ml.g5.2xlarge}}")
    code, out, _ = hbspec("compile", "job.yaml", "-t", target, "-o", "an out $folder", *deployed, "--force")
    assert code == 0
    (command,) = [line.removeprefix("next: ") for line in out.splitlines() if line.startswith("next: ")]
    assert shlex.split(command) == ["bash", f"an out $folder/{script}"]
    assert (hbspec.folder / f"an out $folder/{script}").is_file()


@pytest.mark.parametrize("folder", ["./-x", "--help", "./x"])
def test_the_next_command_of_a_folder_that_looks_like_an_option(hbspec, folder):
    code, out, _ = hbspec("compile", "job.yaml", "-t", "launch", f"--output={folder}")
    assert code == 0
    (command,) = [line.removeprefix("next: ") for line in out.splitlines() if line.startswith("next: ")]
    _, script, *_ = shlex.split(command)
    assert (hbspec.folder / script).is_file()
    assert subprocess.run(["bash", "-n", script], cwd=hbspec.folder, capture_output=True).returncode == 0
    assert not script.startswith("-")


@pytest.mark.parametrize("validation", [True, False])
def test_a_launch_is_told_its_folders(hbspec, validation):
    evaluated = ("--set", 'data.validation={uri: "s3://my-bucket/validation/", examples: 200}') if validation else ()
    _, out, _ = hbspec("compile", "job.yaml", "-t", "launch", *evaluated)
    _, script, *words = shlex.split(out.splitlines()[-1].removeprefix("next: "))
    assert script == "build/my-first-job/launch/launch.sh"
    expected = ["--train-dir", "--checkpoint-dir", "--model-dir", "--output-data-dir"]
    assert words[::2] == expected[:1] + ["--validation-dir"] * validation + expected[1:]


def test_another_script_has_options_of_its_own(hbspec):
    hbspec.write("src/train.py", "")
    script = ("--set", "script={entry_point: train.py, source_dir: ./src}")
    _, out, _ = hbspec("compile", "job.yaml", "-t", "launch", *script)
    assert out.splitlines()[-1] == "next: bash build/my-first-job/launch/launch.sh"


def test_an_engine_is_told_the_model(hbspec):
    endpoint = ("--set", "deployment={instance: {type: ml.g5.2xlarge}, quantization: fp8}")
    _, out, _ = hbspec("compile", "job.yaml", "-t", "serve", *endpoint)
    assert out.splitlines()[-1] == "next: bash build/my-first-job/serve/serve.sh MODEL"


def test_a_folder_is_compared_with_what_would_be_compiled(hbspec):
    assert hbspec("compile", "job.yaml", "-o", "out")[0] == 0
    before = tree(hbspec.folder / "out")
    assert hbspec("compile", "job.yaml", "-o", "out", "--check")[:2] == (0, "out is what job.yaml compiles to\n")
    other = ("compile", "job.yaml", "-o", "out", "--check", "--set", "hyperparameters.lora_dropout=0.1")
    code, out, _ = hbspec(*other)
    assert code == 1
    assert out.startswith("out is not what job.yaml compiles to; these differ:\n  .hbspec.json\n")
    assert tree(hbspec.folder / "out") == before
    (hbspec.folder / "out" / "notes.txt").write_text("mine")
    assert hbspec("compile", "job.yaml", "-o", "out", "--check")[0] == 0
    code, out, _ = hbspec("compile", "job.yaml", "-o", "none", "--check")
    assert (code, "  .hbspec.json (missing)" in out, (hbspec.folder / "none").exists()) == (1, True, False)
    assert hbspec("compile", "job.yaml", "-o", "out", "--check", *BAD)[0] == 1
