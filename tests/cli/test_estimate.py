"""`hbspec estimate` as a user runs it: narrow, piped, in JSON, and on files that are not what they should be."""

from __future__ import annotations

import json

import pytest

from hbspec.catalog.families import SUPPORTED

CONFIG = {
    "model_type": "qwen2",
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "vocab_size": 152064,
}
SPEC = """\
hbspec: 1
name: own
model: {config: ./config.json}
data: {train: {examples: 1000}, tokens: {mean: 300, max: 500}}
instance: {type: ml.g5.2xlarge, region: us-east-1, parallelism: single, max_runtime: 10h}
hyperparameters: {method: qlora, learning_rate: 2e-4, max_steps: 60, per_device_batch_size: 2, max_length: 512}
"""
BAD = {
    "a missing field": (CONFIG | {"hidden_size": None}, "hidden_size: is missing; a qwen2 config.json always has it"),
    "heads that do not divide": (
        CONFIG | {"num_attention_heads": 27},
        "num_key_value_heads: 4 does not divide num_attention_heads 27",
    ),
    "heads that do not divide the width": (
        CONFIG | {"num_attention_heads": 24},
        "num_attention_heads: 24 does not divide hidden_size 3584",
    ),
    "an unknown architecture of unknown size": (
        {"model_type": "mamba2"},
        f"model_type: 'mamba2' is not supported; supported: {', '.join(SUPPORTED)}",
    ),
    "no architecture": ({"hidden_size": 1}, f"model_type: is missing; supported: {SUPPORTED[0]}"),
    "a negative depth": (CONFIG | {"num_hidden_layers": -1}, "num_hidden_layers: -1 is not a whole number from 1 to"),
    "a text for a number": (CONFIG | {"vocab_size": "many"}, "vocab_size: 'many' is not a whole number from 1 to"),
    "a list": ([1], "not a mapping of fields, as every config.json is"),
    "a number": (1, "not a mapping of fields, as every config.json is"),
    "null": (None, "not a mapping of fields, as every config.json is"),
}


def one_line(text):
    return " ".join(text.split())


@pytest.mark.parametrize("config", BAD, ids=str)
class TestBadConfig:
    def test_check_names_the_field_and_what_is_supported(self, hbspec, config):
        values, said = BAD[config]
        hbspec.write("config.json", json.dumps(values))
        hbspec.write("own.yaml", SPEC)
        code, out, _ = hbspec("check", "own.yaml")
        assert code == 1
        assert "own.yaml:3:17: error[HB031] architecture-not-supported: ./config.json: " + said in out
        assert out.count("error[") == 1

    def test_estimate_names_it_too_and_gives_what_is_known(self, hbspec, config):
        values, said = BAD[config]
        hbspec.write("config.json", json.dumps(values))
        hbspec.write("own.yaml", SPEC)
        code, out, err = hbspec("estimate", "own.yaml")
        assert (code, err) == (0, "")
        assert f"needs the architecture (./config.json: {said}" in out
        assert "optimizer steps       60" in out
        assert "Cost: not known\n  price  1.52 USD/h" in out
        assert "Memory:" not in out


def test_a_model_that_nobody_knows(hbspec):
    hbspec.write("own.yaml", SPEC.replace("config: ./config.json", "id: some/model-7B"))
    _, out, _ = hbspec("estimate", "own.yaml")
    reason = "some/model-7B is not in the catalog; model.config can name its config.json"
    assert f"needs the architecture ({reason})" in out


def test_a_rank_above_a_layer_s_width(hbspec):
    hbspec.write("config.json", json.dumps(CONFIG))
    hbspec.write("own.yaml", SPEC.replace("method: qlora", "method: qlora, lora_r: 600"))
    _, out, _ = hbspec("check", "own.yaml")
    assert "warning[HB208] rank-above-width: lora_r 600 exceeds the smaller side of k_proj (512 x 3,584)" in out
    code, out, _ = hbspec("estimate", "own.yaml")
    assert code == 0
    assert "Memory: " in out


def test_sixty_columns_hold_the_page(hbspec):
    hbspec.write("config.json", json.dumps(CONFIG))
    for method in ("qlora", "full"):
        hbspec.write("own.yaml", SPEC.replace("method: qlora", f"method: {method}"))
        _, wide, _ = hbspec("estimate", "own.yaml")
        _, narrow, _ = hbspec("estimate", "own.yaml", COLUMNS="60")
        too_wide = [line for line in narrow.splitlines() if len(line) > 60]
        assert all(" " not in line.strip() for line in too_wide)
        changes = one_line(wide[wide.index("tried\n") : wide.index("\nPlan")])
        assert changes in one_line(narrow)
        assert "\x1b" not in wide + narrow


def test_json_says_what_the_page_says(hbspec):
    hbspec.write("config.json", json.dumps(CONFIG))
    hbspec.write("own.yaml", SPEC.replace("method: qlora", "method: full"))
    document = json.loads(hbspec("estimate", "own.yaml", "--format", "json")[1])
    _, page, _ = hbspec("estimate", "own.yaml")
    assert document["memory"]["verdict"] == "does_not_fit"
    assert document["changes"]
    for change in document["changes"]:
        assert {"set", "verdict", "process_bytes", "time_seconds", "cost"} <= change.keys()
        assert change["verdict"] in ("fits", "tight")
        assert {*change["process_bytes"]} == {"low", "expected", "high"} == {*change["time_seconds"]}
        assert {*change["cost"]} == {"currency", "low", "expected", "high"}
        for key, value in change["set"].items():
            assert f"{key}={value}" in page
    assert {*document["host"]} == {"memory", "disk"}
    assert document["host"]["memory"]["capacity_bytes"] == 32 * 2**30
    assert document["host"]["disk"]["place"] == "NVMe"
    for entry in document["software"]:
        assert entry["fact"] in page
        assert entry["peak_allocated_bytes"] != 0


def test_what_is_written_fits_as_printed(hbspec):
    hbspec.write("config.json", json.dumps(CONFIG))
    hbspec.write("own.yaml", SPEC.replace("method: qlora", "method: full"))
    change = json.loads(hbspec("estimate", "own.yaml", "--format", "json")[1])["changes"][0]
    words = [word for key, value in change["set"].items() for word in ("--set", f"{key}={json.dumps(value)}")]
    changed = json.loads(hbspec("estimate", "own.yaml", "--format", "json", *words)[1])
    assert changed["memory"]["verdict"] == change["verdict"]
    fullest = max(changed["memory"]["devices"], key=lambda device: device["process_bytes"]["expected"])
    assert fullest["process_bytes"] == change["process_bytes"]
    assert changed["time"]["total_seconds"] == change["time_seconds"]
    assert {key: changed["cost"][key] for key in ("currency", "low", "expected", "high")} == change["cost"]


def test_a_screen_begins_with_the_answer(hbspec):
    hbspec.write("config.json", json.dumps(CONFIG))
    hbspec.write("own.yaml", SPEC)
    _, out, _ = hbspec("estimate", "own.yaml", COLUMNS="80")
    screen = out.splitlines()[:40]
    answers = [number for number, line in enumerate(screen) if line.startswith(("It fits: ", "It takes ", "It costs "))]
    assert len(answers) == 3
    assert max(answers) < screen.index("Plan")
    assert any(line.startswith("Memory: ") for line in screen)


class TestSeveralSpecs:
    def write(self, hbspec):
        hbspec.write("config.json", json.dumps(CONFIG))
        hbspec.write("own.yaml", SPEC)
        hbspec.write("bad.yaml", SPEC.replace("max_steps: 60", "max_stepz: 60"))

    def test_each_is_under_its_name_and_as_it_is_alone(self, hbspec):
        self.write(hbspec)
        code, out, err = hbspec("estimate", "own.yaml", "job.yaml")
        assert (code, err) == (0, "")
        one, two = hbspec("estimate", "own.yaml")[1], hbspec("estimate", "job.yaml")[1]
        assert out == f"own.yaml:\n{one}\njob.yaml:\n{two}"

    def test_one_that_is_invalid_keeps_no_other_from_being_estimated(self, hbspec):
        self.write(hbspec)
        code, out, err = hbspec("estimate", "bad.yaml", "own.yaml")
        assert code == 1
        assert "bad.yaml:6:" in err
        assert out.startswith("own.yaml:\n")
        assert "bad.yaml" not in out
        assert hbspec("estimate", "bad.yaml", "own.yaml", "gone.yaml")[0] == 2

    def test_json_of_several_wraps_what_each_is_alone(self, hbspec):
        self.write(hbspec)
        document = json.loads(hbspec("estimate", "own.yaml", "bad.yaml", "--format", "json")[1])
        assert document["format_version"] == 1
        own, bad = document["specs"]
        assert own["estimate"] == json.loads(hbspec("estimate", "own.yaml", "--format", "json")[1])
        assert (own["file"], own["diagnostics"]) == ("own.yaml", [])
        assert (bad["file"], bad["estimate"]) == ("bad.yaml", None)
        assert [entry["code"] for entry in bad["diagnostics"]] == ["HB020"]

    def test_markdown_cannot_be_made_markup_by_a_spec(self, hbspec):
        hbspec.write("config.json", json.dumps(CONFIG))
        hbspec.write("own.yaml", SPEC.replace("{config: ./config.json}", '{id: "<img src=x> @all [a](b) `|"}'))
        code, out, _ = hbspec("estimate", "own.yaml", "job.yaml", "--format", "markdown")
        prose = out[: out.index("<details>")]
        assert code == 0
        assert prose.startswith(
            "### own\n\n- **Whether it fits is not known**: it needs the architecture (&lt;img src=x&gt; "
        )
        assert "<img" not in prose
        assert "@all" not in prose
        assert out.count("<details>") == out.count("</details>") == 2
