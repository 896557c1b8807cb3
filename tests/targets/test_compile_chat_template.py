"""`data.chat_template` in a compiled job, and in the endpoint that serves its model."""

from __future__ import annotations

import json

import pytest
from compiled import BASE, files, refusals

from hbspec.catalog import catalog

TRAINS = "{% for m in messages %}{{ m.role + m.content + eos_token }}{% endfor %}"
TOKEN = "hf_" + "abcdefghijklmnopqrstuvwx"
LLAMA = "model.id=meta-llama/Llama-3.1-8B"
SHIPPED = "data.chat_template=llama3"


def named(tmp_path, text):
    (tmp_path / "base.yaml").write_bytes(BASE.read_bytes())
    (tmp_path / "mine.jinja").write_text(text)
    (tmp_path / "spec.yaml").write_text("extends: ./base.yaml\ndata: {chat_template: ./mine.jinja}\n")
    return tmp_path / "spec.yaml"


def test_the_job_carries_it_and_is_told_so():
    compiled = files(BASE, "launch", LLAMA, SHIPPED, force=True)
    assert compiled["source/chat_template.jinja"].decode() == catalog().chat_template("llama3")
    assert b"--CHAT_TEMPLATE chat_template.jinja" in compiled["launch.sh"]
    assert "source/chat_template.jinja" not in files(BASE, "launch")


def test_a_file_travels_as_it_is(tmp_path):
    compiled = files(named(tmp_path, TRAINS), "sagemaker", force=True)
    assert compiled["source/chat_template.jinja"].decode() == TRAINS
    assert b"--CHAT_TEMPLATE chat_template.jinja" in compiled["source/launch.sh"]


def test_another_template_is_another_job(tmp_path):
    spec = named(tmp_path, TRAINS)
    one = files(spec, "sagemaker", force=True)["create_training_job.json"]
    (tmp_path / "mine.jinja").write_text(f"{TRAINS} ")
    assert files(spec, "sagemaker", force=True)["create_training_job.json"] != one


def test_a_secret_in_it_is_refused(tmp_path):
    spec = named(tmp_path, f"{{# {TOKEN} #}}{TRAINS}")
    assert refusals(spec, "launch", force=True) == [("HB042", "data.chat_template")]


@pytest.mark.parametrize("name", ["lama3", "./gone.jinja"])
def test_a_job_without_its_template_is_not_compiled_by_force(name):
    found = refusals(BASE, "launch", f"data.chat_template={name}", force=True)
    assert found == [("HB041", "data.chat_template")]


@pytest.mark.parametrize(("engine", "prefix"), [("vllm", "SM_VLLM_"), ("djl-lmi", "OPTION_")])
def test_the_endpoint_takes_it_from_the_folder_of_the_adapters(engine, prefix):
    def told(adapters: str, *more: str) -> dict[str, str]:
        overrides = (
            LLAMA,
            f"deployment.adapters={adapters}",
            f"deployment.engine={engine}",
            "deployment.quantization=none",
            *more,
        )
        body = json.loads(files(BASE, "deployment", *overrides, force=True)["create_model.json"])
        return {
            key.removeprefix(prefix): value
            for key, value in body["PrimaryContainer"]["Environment"].items()
            if "CHAT_TEMPLATE" in key or "GENERATION_CONFIG" in key
        }

    expected = {"CHAT_TEMPLATE": "/opt/ml/model/chat_template.jinja", "GENERATION_CONFIG": "/opt/ml/model"}
    assert told("separate", SHIPPED) == expected
    assert told("merged", SHIPPED) == {}, "a folder of merged weights has its own"
    assert told("separate") == {}
