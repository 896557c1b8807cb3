"""`estimate`, `init` and `schema` from outside."""

from __future__ import annotations

import json

import pytest
import yaml
from jsonschema import Draft202012Validator

from hbspec.cli.first_spec import STARTER


class TestEstimate:
    def test_text(self, hbspec):
        code, out, err = hbspec("estimate", "job.yaml")
        assert (code, err) == (0, "")
        for heading in ("Plan", "Memory: fits", "Time: ", "Cost: ", "Claims", "Assumed"):
            assert f"\n\n{heading}" in out
        assert "  effective batch size  16 " in out

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
        assert hbspec("init") == (0, "spec.yaml\nhbspec.schema.json\nnext: hbspec check spec.yaml\n", "")
        for day in ("2026-11-22", "2036-11-22"):
            assert hbspec("check", "spec.yaml", "--as-of", day) == (0, "no errors\n", "")

    def test_editors_find_the_schema_by_its_first_line(self, hbspec):
        (hbspec.folder / "hbspec.schema.json").write_text("mine")
        (hbspec.folder / "new").mkdir()
        for name in ("spec.yaml", "new/spec.yaml"):
            assert hbspec("init", name)[0] == 0
            first, _, rest = (hbspec.folder / name).read_text().partition("\n")
            assert first == "# yaml-language-server: $schema=./hbspec.schema.json"
            assert rest == STARTER.read_text()
        assert (hbspec.folder / "hbspec.schema.json").read_text() == "mine"
        assert (hbspec.folder / "new/hbspec.schema.json").read_text() == hbspec("schema")[1]

    def test_nothing_is_overwritten(self, hbspec):
        hbspec.write("mine.yaml", "mine")
        assert hbspec("init", "mine.yaml") == (2, "", "hbspec: mine.yaml already exists; name another file\n")
        assert (hbspec.folder / "mine.yaml").read_text() == "mine"

    def test_a_folder_that_is_not_there(self, hbspec):
        code, _, err = hbspec("init", "nowhere/spec.yaml")
        assert (code, err) == (2, "hbspec: nowhere/spec.yaml: No such file or directory; correct the path\n")


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
