"""What is copied out of the author's folder, and what never leaves the machine."""

from __future__ import annotations

import json

import pytest
from compiled import BASE, files, project, refusals

from hbspec.targets.job import source_folder
from hbspec.targets.job.source_folder import JOB_MODULES, LAUNCHER, LAUNCHER_BESIDE_OWN, templates

TOKEN = "hf_" + "abcdefghijklmnopqrstuvwx"


def copied(spec, target="sagemaker"):
    return sorted(
        path.removeprefix("source/") for path in files(spec, target, force=True) if path.startswith("source/")
    )


def test_the_whole_folder_in_order_byte_for_byte(tmp_path):
    spec = project(
        tmp_path,
        "reads: arguments",
        lib__a_dot_py="A = 1\n",
        data_dot_bin=bytes(range(256)),
        requirements_dot_txt="x==1\n",
    )
    compiled = files(spec, "launch")
    assert list(compiled) == sorted(compiled)
    assert copied(spec, "launch") == ["data.bin", LAUNCHER_BESIDE_OWN, "lib/a.py", "requirements.txt", "train.py"]
    assert compiled["source/data.bin"] == bytes(range(256))


def test_keys_caches_and_version_control_are_left_out(tmp_path):
    left_out = {
        "_dot_git__config": "x",
        "_dot_env": "PASSWORD=correct-horse",
        "_dot_aws__credentials": "x",
        "server_dot_pem": "x",
        "id_rsa": "x",
        "id_rsa_dot_pub": "x",
        "my_dot_key": "x",
        "credentials_dot_json": "{}",
        "node_modules__x_dot_js": "x",
        "_dot_venv__lib_dot_py": "x",
        "lib_dot_pyc": b"\0",
    }
    spec = project(tmp_path, "reads: arguments", **left_out)
    cache = tmp_path / "src/__pycache__"
    cache.mkdir()
    (cache / "train.cpython-311.pyc").write_bytes(b"\0")
    assert copied(spec) == [LAUNCHER_BESIDE_OWN, "launch.sh", "train.py"]


def test_links_are_not_followed(tmp_path):
    spec = project(tmp_path, "reads: arguments")
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (outside / "passwords.txt").write_text("x")
    (tmp_path / "src/passwords.txt").symlink_to(outside / "passwords.txt")
    (tmp_path / "src/folder").symlink_to(outside)
    (tmp_path / "src/loop").symlink_to(tmp_path / "src")
    (tmp_path / "src/broken").symlink_to(tmp_path / "nowhere")
    assert copied(spec) == [LAUNCHER_BESIDE_OWN, "launch.sh", "train.py"]


def test_a_folder_outside_the_project_is_not_copied(tmp_path):
    spec = project(tmp_path, "reads: arguments")
    for folder in ("..", "/etc", "./missing", "./spec.yaml"):
        assert ("HB041", "script.source_dir") in refusals(
            spec, "sagemaker", f"script.source_dir={folder}", force=True
        ), folder
    (tmp_path / "link").symlink_to("/etc")
    assert ("HB041", "script.source_dir") in refusals(spec, "sagemaker", "script.source_dir=./link", force=True)


@pytest.mark.parametrize(
    "content", [f'login("{TOKEN}")\n', "password: correct-horse-battery\n", "aws_secret_access_key = wJalrXUtnFEMI\n"]
)
def test_a_secret_in_a_file_stops_the_copy(content, tmp_path):
    spec = project(tmp_path, "reads: arguments", lib_dot_py=content)
    assert refusals(spec, "sagemaker", force=True) == [("HB042", "script.source_dir")]
    from hbspec.api import InvalidSpecError, compile_spec

    with pytest.raises(InvalidSpecError) as refused:
        compile_spec(spec, "launch", force=True)
    assert content.strip() not in str(refused.value.report.to_dict())
    assert "lib.py" in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        f'login("{TOKEN}")\r\n'.encode("utf-16"),
        f"{TOKEN}\n".encode("utf-16-be"),
        "DB_PASSWORD=correct-horse-battery\n".encode("utf-16"),
        b"\x80\x04\0" + TOKEN.encode() + b"\0",
    ],
    ids=["editor of Windows", "without a mark", "named", "pickle"],
)
def test_nor_is_one_copied_that_is_not_utf_8(content, tmp_path):
    spec = project(tmp_path, "reads: arguments", settings_dot_txt=content)
    assert refusals(spec, "sagemaker", force=True) == [("HB042", "script.source_dir")]


def test_a_binary_file_that_speaks_of_tokens_is_copied(tmp_path):
    spec = project(tmp_path, "reads: arguments", lib_dot_bin=b"\0\1\0\2password=correct-horse-battery\0")
    assert "lib.bin" in copied(spec)


def test_a_secret_in_the_name_of_a_file_stops_the_copy(tmp_path, capsys):
    """The name is in submit.sh, and in S3."""
    from hbspec.cli import main

    spec = project(tmp_path, "reads: arguments", **{f"{TOKEN}__a_dot_txt": "x"})
    assert refusals(spec, "sagemaker", force=True) == [("HB042", "script.source_dir")]
    assert main(["compile", str(spec), "-o", str(tmp_path / "out")]) == 1
    assert TOKEN[8:] not in "".join(capsys.readouterr())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["Server.PEM", "ID_RSA", "KEYS.P12", "Credentials.json"])
def test_key_files_in_capitals_stay_local_on_every_system(name, tmp_path):
    spec = project(tmp_path, "reads: arguments")
    (tmp_path / "src" / name).write_text("x")
    assert name not in copied(spec)


def test_a_folder_that_is_too_large_is_refused_before_it_is_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(source_folder, "MAX_FILES", 3)
    spec = project(tmp_path, "reads: arguments", **{f"part{number}": "x" for number in range(5)})
    assert refusals(spec, "launch") == [("HB041", "script.source_dir")]
    monkeypatch.setattr(source_folder, "MAX_FILES", 100)
    monkeypatch.setattr(source_folder, "MAX_BYTES", 1000)
    (tmp_path / "src/weights.bin").write_bytes(b"x" * 2000)
    assert refusals(spec, "launch") == [("HB041", "script.source_dir")]


def test_one_large_file_is_not_read_into_memory(tmp_path):
    spec = project(tmp_path, "reads: arguments")
    with (tmp_path / "src/weights.bin").open("wb") as sparse:
        sparse.truncate(1 << 40)
    assert refusals(spec, "launch") == [("HB041", "script.source_dir")]


def test_what_the_container_starts_is_not_overwritten_by_the_authors_files(tmp_path):
    spec = project(tmp_path, "reads: arguments", launch_dot_sh="echo mine\n")
    assert refusals(spec, "sagemaker") == [("HB041", "script.source_dir")]
    assert b"echo mine" in files(spec, "launch")["source/launch.sh"]


def test_the_launcher_is_put_beside_the_author_s_script(tmp_path):
    spec = project(tmp_path, "reads: arguments", launcher_dot_py="MINE = 1\n")
    compiled = files(spec, "sagemaker")
    assert compiled[f"source/{LAUNCHER_BESIDE_OWN}"] == (templates() / LAUNCHER).read_bytes()
    assert compiled["source/launcher.py"] == b"MINE = 1\n"
    assert f"exec python {LAUNCHER_BESIDE_OWN} --nproc_per_node" in compiled["source/launch.sh"].decode()


@pytest.mark.parametrize("target", ["launch", "sagemaker"])
def test_a_file_of_the_launcher_s_name_is_refused(target, tmp_path):
    spec = project(tmp_path, "reads: arguments", hbspec_launcher_dot_py="mine\n")
    assert refusals(spec, target) == [("HB041", "script.source_dir")]


def test_liger_kernel_is_required_only_where_it_runs(tmp_path):
    plain, liger = (files(BASE, "launch", f"hyperparameters.liger={value}", force=True) for value in ("false", "true"))
    shipped = (templates() / "requirements.txt").read_bytes()
    assert plain["source/requirements.txt"] == shipped
    assert liger["source/requirements.txt"].startswith(shipped)
    assert b"\nliger-kernel==" in liger["source/requirements.txt"]


def beside(tmp_path, **deepspeed):
    """A job of the shipped script under ZeRO-2, with a DeepSpeed JSON beside the spec."""
    (tmp_path / "base.yaml").write_bytes(BASE.read_bytes())
    (tmp_path / "ds.json").write_text(json.dumps({"zero_optimization": {"stage": 2}, **deepspeed}))
    (tmp_path / "spec.yaml").write_text("extends: ./base.yaml\ninstance: {parallelism: zero2, deepspeed: ./ds.json}\n")
    return tmp_path / "spec.yaml"


def test_the_shipped_script_is_told_of_the_deepspeed_json_beside_it(tmp_path):
    compiled = files(beside(tmp_path), "launch", force=True)
    assert json.loads(compiled["source/deepspeed.json"]) == {"zero_optimization": {"stage": 2}}
    assert b"--DEEPSPEED deepspeed.json" in compiled["launch.sh"]


def test_a_secret_in_the_deepspeed_json_is_refused(tmp_path):
    spec = beside(tmp_path, comet={"enabled": True, "api_key": TOKEN})
    ((code, route),) = refusals(spec, "launch", force=True)
    assert (code, route) == ("HB042", "instance.deepspeed")


def test_another_script_has_its_deepspeed_json_in_its_folder(tmp_path):
    spec = project(tmp_path, "reads: arguments")
    (tmp_path / "ds.json").write_text('{"zero_optimization": {"stage": 2}}')
    overrides = ("instance.parallelism=zero2", f"instance.deepspeed={tmp_path / 'ds.json'}")
    assert "HB041" in {code for code, _ in refusals(spec, "launch", *overrides, force=True)}
    (tmp_path / "src/ds.json").write_text('{"zero_optimization": {"stage": 2}}')
    overrides = ("instance.parallelism=zero2", f"instance.deepspeed={tmp_path / 'src/ds.json'}")
    assert "source/ds.json" in files(spec, "launch", *overrides, force=True)


def test_the_module_that_the_script_imports_is_put_beside_it(tmp_path):
    spec = project(tmp_path, "reads: arguments", life_dot_py="import hbspec_job\n")
    found = [path for path in copied(spec, "launch") if path.startswith("hbspec_job/")]
    assert found == sorted(["hbspec_job/__init__.py", *(f"hbspec_job/{name}.py" for name in JOB_MODULES)])
    compiled = files(spec, "launch")
    assert compiled["source/hbspec_job/__init__.py"] == (templates() / "hbspec_job.py").read_bytes()
    assert compiled["source/hbspec_job/metrics.py"] == (templates() / "metrics.py").read_bytes()


def test_a_module_of_its_name_is_not_replaced(tmp_path):
    spec = project(tmp_path, "reads: arguments", hbspec_job_dot_py="import hbspec_job\n")
    assert refusals(spec, "launch") == [("HB041", "script.source_dir")]
