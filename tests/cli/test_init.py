"""`hbspec init` with answers: by options, at a terminal, and where they lead to no spec."""

from __future__ import annotations

import io
import json

import pytest
import yaml

from hbspec.api import check, estimate
from hbspec.cli import main

TYPE = ("--type", "ml.g5.2xlarge")
LINE = json.dumps(
    {"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because. " * 40}]}
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return tmp_path


def at_terminal(monkeypatch, text):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdin", Terminal(text))


def names(folder):
    return [entry.name for entry in folder.iterdir()]


def findings(file):
    return [(entry.code, entry.message) for entry in check(file).diagnostics]


def test_the_spec_checks_clean_and_its_job_certainly_keeps_the_limits(folder, capsys):
    assert main(["init", "a.yaml", *TYPE, "--max-cost", "3 USD"]) == 0
    said = capsys.readouterr()
    assert said.out == "a.yaml\nhbspec.schema.json\nnext: hbspec check a.yaml\n"
    assert said.err.startswith("It fits:")
    assert findings("a.yaml") == []
    found = estimate("a.yaml")
    assert not found.time.may_be_stopped
    assert found.cost.high <= 3
    assert [claim.verdict for claim in found.claims] == ["confirmed"] * 4


def test_comments_of_the_starter_stay_on_their_lines(folder):
    main(["init", "a.yaml", *TYPE])
    lines = (folder / "a.yaml").read_text().splitlines()
    assert lines[1].startswith("# A fine-tuning job.")
    assert {line.index(" # ") for line in lines if " # " in line} == {41}


def test_data_are_profiled_beside_the_spec(folder):
    (folder / "mine.jsonl").write_text((LINE + "\n") * 50)
    assert main(["init", "a.yaml", *TYPE, "--data", "mine.jsonl"]) == 0
    spec = yaml.safe_load((folder / "a.yaml").read_text())
    assert spec["data"]["profile"] == "./mine.profile.json"
    assert spec["data"]["train"]["examples"] == 50
    assert "tokens" not in spec["data"]
    assert estimate("a.yaml").plan.effective_batch_size == 4  # at 16, an epoch has 3 updates
    assert [code for code, _ in findings("a.yaml") if code in ("HB206", "HB207", "HB209")] == []


def test_a_gated_model_is_given_the_name_of_a_secret(folder):
    assert main(["init", "a.yaml", *TYPE, "--model", "meta-llama/Llama-3.1-8B-Instruct"]) == 0
    assert findings("a.yaml") == []


def test_all_weights_are_trained_without_the_keys_of_adapters(folder):
    assert main(["init", "a.yaml", *TYPE, "--model", "Qwen/Qwen2.5-0.5B-Instruct", "--method", "full"]) == 0
    assert findings("a.yaml") == []
    assert not [key for key in yaml.safe_load((folder / "a.yaml").read_text())["hyperparameters"] if key[:3] == "lor"]


def test_a_plan_without_the_type_is_searched_in_bfloat16(folder):
    assert main(["init", "a.yaml", "--max-cost", "4 USD"]) == 0
    assert estimate("a.yaml").plan.hardware.gpu.bf16
    assert findings("a.yaml") == []


def test_a_budget_that_pays_for_no_plan_leaves_nothing_behind(folder, capsys):
    (folder / "mine.jsonl").write_text((LINE + "\n") * 5000)
    assert main(["init", "a.yaml", *TYPE, "--data", "mine.jsonl", "--max-cost", "0.1 USD"]) == 1
    said = capsys.readouterr()
    assert "may cost more than --max-cost" in said.err
    assert said.err.endswith("a.yaml was not written\n")
    assert names(folder) == ["mine.jsonl"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "Qwen/Qwen2.5-7"), "did you mean Qwen/Qwen2.5-7B?"),
        (("--type", "ml.c5.xlarge"), "is not a GPU instance type for training"),
        (("--region", "mars-1"), "is not in the catalog"),
        (("--max-cost", "20 CAD"), "the catalog's prices are in USD"),
        (("--data", "nowhere.jsonl"), "is neither a file or folder nor a number of examples"),
        (("--data", "0"), "not a whole number from 1"),
        (("--method", "dora"), "is not one of qlora, lora, full"),
        (("--data", "broken.jsonl"), "not all lines are examples"),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_is_written(folder, capsys, words, said):
    (folder / "broken.jsonl").write_text(f"{LINE}\nnot JSON\n")
    assert main(["init", "a.yaml", *words]) == 2
    assert said in capsys.readouterr().err
    assert names(folder) == ["broken.jsonl"]


def test_nothing_is_overwritten(folder, capsys):
    (folder / "mine.jsonl").write_text(LINE)
    (folder / "mine.profile.json").write_text("mine")
    assert main(["init", "a.yaml", *TYPE, "--data", "mine.jsonl"]) == 2
    assert "mine.profile.json already exists" in capsys.readouterr().err
    (folder / "a.yaml").symlink_to("nowhere")
    assert main(["init", "a.yaml", *TYPE]) == 2
    assert (folder / "mine.profile.json").read_text() == "mine"


def test_a_folder_that_is_not_there(folder, capsys):
    assert main(["init", "nowhere/a.yaml", *TYPE]) == 2
    assert capsys.readouterr().err == "hbspec: nowhere/a.yaml: No such file or directory; correct the path\n"


class TestAtATerminal:
    def test_the_questions_are_asked_until_they_are_answered(self, folder, monkeypatch, capsys):
        at_terminal(monkeypatch, "nobody/knows\n\n300\n\nml.g5.2xlarge\n")
        assert main(["init", "a.yaml"]) == 0
        spec = yaml.safe_load((folder / "a.yaml").read_text())
        assert (spec["model"]["id"], spec["data"]["train"]["examples"]) == ("Qwen/Qwen2.5-7B", 300)
        assert spec["instance"]["type"] == "ml.g5.2xlarge"
        assert capsys.readouterr().err.count("Model [") == 2

    def test_input_that_ends_writes_nothing(self, folder, monkeypatch, capsys):
        at_terminal(monkeypatch, "\n")
        assert main(["init"]) == 2
        assert "nothing was written" in capsys.readouterr().err
        assert names(folder) == []

    def test_options_ask_nothing(self, folder, monkeypatch, capsys):
        at_terminal(monkeypatch, "")
        assert main(["init", *TYPE]) == 0
        assert "Model [" not in capsys.readouterr().err


def test_a_base_model_gets_the_chat_template_of_its_family(folder):
    assert main(["init", "llama.yaml", "--model", "meta-llama/Llama-3.1-8B", *TYPE]) == 0
    written = yaml.safe_load((folder / "llama.yaml").read_text())
    assert (written["name"], written["data"]["chat_template"]) == ("llama", "llama3")
    assert [code for code, _ in findings("llama.yaml") if code == "HB233"] == []


def test_an_error_that_no_plan_mends_ends_it_before_the_search(folder, capsys, monkeypatch):
    monkeypatch.setattr("hbspec.cli.first_spec._answered", lambda *_: {("model", "id"): "meta-llama/Llama-3.1-8B"})
    monkeypatch.setattr("hbspec.cli.first_spec._searched", lambda *_: pytest.fail("it was searched"))
    assert main(["init", "a.yaml", "--model", "meta-llama/Llama-3.1-8B"]) == 1
    said = capsys.readouterr()
    assert "HB233" in said.out + said.err
    assert "set data.chat_template: llama3" in said.out + said.err
    assert names(folder) == []
