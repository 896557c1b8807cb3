"""`estimate`, `init`, `data` and `schema` from outside."""

from __future__ import annotations

import json

import pytest
import yaml
from jsonschema import Draft202012Validator

GOOD = json.dumps({"messages": [{"role": "user", "content": "Who leads?"}, {"role": "assistant", "content": "We do."}]})


class TestEstimate:
    def test_text(self, hbspec):
        code, out, err = hbspec("estimate", "job.yaml")
        assert (code, err) == (0, "")
        for heading in ("Plan", "Memory: fits", "Time: ", "Cost: ", "Claims", "Assumed"):
            assert f"\n\n{heading}" in out
        assert "  effective batch     16 " in out

    def test_json(self, hbspec):
        document = json.loads(hbspec("estimate", "job.yaml", "--format", "json")[1])
        assert document["format_version"] == 1
        assert document["plan"]["effective_batch_size"] == 16
        assert document["serving"] is None

    def test_an_override(self, hbspec):
        words = ("--format", "json", "--set", "hyperparameters.gradient_accumulation_steps=8")
        assert json.loads(hbspec("estimate", "job.yaml", *words)[1])["plan"]["effective_batch_size"] == 8

    def test_a_spec_that_is_merely_unwise_is_estimated(self, hbspec):
        assert hbspec("estimate", "job.yaml", "--set", "budget.max_cost=1 USD")[0] == 0

    @pytest.mark.parametrize("form", ["text", "json"])
    def test_a_spec_that_is_broken_is_not(self, hbspec, form):
        code, out, err = hbspec("estimate", "job.yaml", "--set", "hyperparameters.lora_r=0", "--format", form)
        assert (code, out) == (1, "")
        assert "error[HB024]" in err

    def test_a_missing_spec(self, hbspec):
        assert hbspec("estimate", "nowhere.yaml")[0] == 2

    def test_what_is_not_known_is_said(self, hbspec):
        code, out, _ = hbspec("estimate", "job.yaml", "--set", "model.id=nobody/knows")
        assert code == 0
        assert "\n\nNot known\n" in out

    def test_forty_columns(self, hbspec):
        _, out, _ = hbspec("estimate", "job.yaml", COLUMNS="40")
        assert not [line for line in out.splitlines() if len(line) > 40 and len(line.split()) > 1]


class TestInit:
    def test_the_spec_checks_clean_whatever_the_day(self, hbspec):
        (hbspec.folder / "job.yaml").unlink()
        assert hbspec("init") == (0, "spec.yaml\nnext: hbspec check spec.yaml\n", "")
        for day in ("2026-11-22", "2036-11-22"):
            assert hbspec("check", "spec.yaml", "--as-of", day) == (0, "no errors\n", "")

    def test_nothing_is_overwritten(self, hbspec):
        hbspec.write("mine.yaml", "mine")
        assert hbspec("init", "mine.yaml") == (2, "", "hbspec: mine.yaml is already there; name another file\n")
        assert (hbspec.folder / "mine.yaml").read_text() == "mine"

    def test_a_folder_that_is_not_there(self, hbspec):
        code, _, err = hbspec("init", "nowhere/spec.yaml")
        assert (code, err) == (2, "hbspec: nowhere/spec.yaml: No such file or directory\n")


class TestData:
    def test_good_lines(self, hbspec):
        hbspec.write("train.jsonl", f"{GOOD}\n\n{GOOD}\n")
        assert hbspec("data", "check", "train.jsonl") == (0, "no errors\n", "")

    def test_lines_that_training_cannot_use(self, hbspec):
        hbspec.write("train.jsonl", f"{GOOD}\n{{\n")
        code, out, _ = hbspec("data", "check", "train.jsonl")
        assert code == 1
        assert out.startswith("train.jsonl:2:1: error[HB050] data-line-refused: ")

    def test_as_json(self, hbspec):
        hbspec.write("data/train.jsonl", "[]\n")
        report = json.loads(hbspec("data", "check", "data/train.jsonl", "--format", "json")[1])
        assert [entry["file"] for entry in report["diagnostics"]] == ["data/train.jsonl"]

    def test_a_missing_file(self, hbspec):
        assert hbspec("data", "check", "nowhere.jsonl") == (2, "", "hbspec: nowhere.jsonl: No such file or directory\n")

    def test_a_profile_is_what_a_spec_reads(self, hbspec):
        hbspec.write("train.jsonl", f"{GOOD}\n" * 3)
        assert hbspec("data", "profile", "train.jsonl", "-o", "train.profile.json") == (0, "train.profile.json\n", "")
        code, out, _ = hbspec(
            "estimate", "job.yaml", "--format", "json",
            "--set", "data.profile=./train.profile.json", "--set", "data.tokens=null", "--set", "data.train=null",
        )  # fmt: skip
        assert code == 0
        assert json.loads(out)["plan"]["examples"] == 3

    def test_without_a_file_it_is_printed(self, hbspec):
        hbspec.write("train.jsonl", f"{GOOD}\n")
        assert json.loads(hbspec("data", "profile", "train.jsonl")[1])["examples"] == 1

    def test_lines_left_out_are_said(self, hbspec):
        hbspec.write("train.jsonl", f"{GOOD}\nx\n")
        code, out, err = hbspec("data", "profile", "train.jsonl")
        assert (code, json.loads(out)["broken_lines"]) == (1, 1)
        assert "train.jsonl:2:1: error[HB050]" in err

    def test_no_example_at_all(self, hbspec):
        hbspec.write("train.jsonl", "")
        code, out, err = hbspec("data", "profile", "train.jsonl", "-o", "x.json")
        assert (code, out) == (2, "")
        assert err.count("\n") == 1
        assert not (hbspec.folder / "x.json").exists()

    def test_only_a_profile_is_replaced(self, hbspec):
        hbspec.write("train.jsonl", f"{GOOD}\n")
        words = ("data", "profile", "train.jsonl", "-o", "train.profile.json")
        assert hbspec(*words)[0] == hbspec(*words)[0] == 0
        hbspec.write("train.profile.json", '{"mine": 1}')
        code, _, err = hbspec(*words)
        assert (code, err) == (2, "hbspec: train.profile.json is already there, and is no profile; name another file\n")
        assert (hbspec.folder / "train.profile.json").read_text() == '{"mine": 1}'


class TestSchema:
    def test_it_is_a_schema_that_the_starter_obeys(self, hbspec):
        schema = json.loads(hbspec("schema")[1])
        Draft202012Validator.check_schema(schema)
        spec = yaml.safe_load((hbspec.folder / "job.yaml").read_text().replace("1e-4", "0.0001"))
        spec["expect"] = {key: str(value) for key, value in spec["expect"].items()}
        Draft202012Validator(schema).validate(spec)
        with pytest.raises(Exception, match="lora_rank"):
            Draft202012Validator(schema).validate(
                spec | {"hyperparameters": {**spec["hyperparameters"], "lora_rank": 8}}
            )
