"""`models`, `instances` and `prices` from outside."""

from __future__ import annotations

import json

import pytest

from hbspec.catalog import catalog


class TestModels:
    def test_a_word_finds_names_in_any_case(self, hbspec):
        code, out, err = hbspec("models", "LLAMA-3.1-8B-instruct")
        assert (code, err) == (0, "")
        names = [line.split()[0] for line in out.splitlines()]
        assert {"meta-llama/Llama-3.1-8B-Instruct", "unsloth/Meta-Llama-3.1-8B-Instruct-bnb-4bit"} <= {*names}
        assert all("llama-3.1-8b-instruct" in name.lower() for name in names)

    def test_without_a_word_every_shape_is_listed_once(self, hbspec):
        _, out, err = hbspec("models")
        assert len(out.splitlines()) == len([*catalog().models.originals()])
        assert err.endswith("lists the names with a word\n")

    def test_json_says_what_is_not_known(self, hbspec):
        (found,) = json.loads(hbspec("models", "mamba-2.8b-hf", "--format", "json")[1])["models"]
        assert (found["counted"], found["parameters"], found["gated"]) == (False, None, None)

    def test_no_name(self, hbspec):
        assert hbspec("models", "no-such-name") == (0, "", "no name contains no-such-name\n")

    def test_the_parameters_are_those_of_the_shape(self, hbspec):
        (found,) = json.loads(hbspec("models", "DeepSeek-R1-Distill-Qwen-32B", "--format", "json")[1])["models"][:1]
        assert found["parameters"] == 32_763_876_352


class TestInstances:
    def test_a_gpu_as_people_call_it(self, hbspec):
        code, out, _ = hbspec("instances", "--gpu", "NVIDIA A100-SXM4-40GB")
        assert code == 0
        assert [line.split()[0] for line in out.splitlines()] == ["ml.p4d.24xlarge"]

    def test_a_spelling_that_may_mean_several_lists_all(self, hbspec):
        names = [line.split()[0] for line in hbspec("instances", "--gpu", "A100")[1].splitlines()]
        assert names == ["ml.p4d.24xlarge", "ml.p4de.24xlarge"]

    def test_a_region_has_its_own_types_and_prices(self, hbspec):
        listed = json.loads(hbspec("instances", "--region", "ca-central-1", "--format", "json")[1])["instances"]
        prices = {entry["name"]: entry["prices"] for entry in listed}
        assert "ml.p4de.24xlarge" not in prices
        assert prices["ml.p4d.24xlarge"]["training"]["usd_per_hour"] == "29.0395010"

    def test_no_type_is_said(self, hbspec):
        assert hbspec("instances", "--gpu", "RTX4090") == (
            0,
            "",
            "the catalog has no instance type with the RTX 4090\n",
        )

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--gpu", "H1000"), "--gpu H1000 is not in the catalog"),
            (("--region", "ca-central"), "--region ca-central is not in the catalog; did you mean ca-central-1?"),
        ],
    )
    def test_what_is_not_known(self, words, said, hbspec):
        code, out, err = hbspec("instances", *words)
        assert (code, out) == (2, "")
        assert err.startswith(f"hbspec: {said}")


class TestPrices:
    def test_a_price_names_its_evidence(self, hbspec):
        code, out, _ = hbspec("prices", "ml.p4d.24xlarge", "--region", "ca-central-1")
        assert code == 0
        assert out.count("derived: EC2 25.25174 USD x 1.15") == 2

    def test_json(self, hbspec):
        found = json.loads(hbspec("prices", "ml.p5en.48xlarge", "--region", "ap-south-1", "--format", "json")[1])
        assert [(price["component"], price["usd_per_hour"], price["basis"]) for price in found["prices"]] == [
            ("training", "87.354", "read"),
            ("hosting", "87.354", "derived"),
        ]

    def test_no_price_is_said(self, hbspec):
        code, out, err = hbspec("prices", "ml.p5e.48xlarge")
        assert (code, out, err) == (0, "", "no price is known; set instance.price in the spec\n")

    def test_a_misspelt_type(self, hbspec):
        code, out, err = hbspec("prices", "ml.p4d.24xlarg")
        assert (code, out) == (2, "")
        assert err.endswith("did you mean ml.p4d.24xlarge?\n")

    def test_forty_columns(self, hbspec):
        _, out, _ = hbspec("prices", "ml.g5.xlarge", "--region", "us-east-1", COLUMNS="40")
        assert not [line for line in out.splitlines() if len(line) > 40 and len(line.split()) > 1]
