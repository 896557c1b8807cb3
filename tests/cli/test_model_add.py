"""`model add` from outside: what it writes, and what it refuses without writing anything."""

from __future__ import annotations

import json

import pytest

from hbspec.catalog.recorded import FORMAT

CONFIG = {
    "model_type": "olmo",
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "vocab_size": 64,
}


def test_a_config_becomes_a_file_that_specs_can_name(tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch")
    from hbspec.cli.model_add import run
    from hbspec.recording import record

    monkeypatch.setattr(record, "REGIMES", record.REGIMES[2:3])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    assert run("config.json", tmp_path / "small.model.json", None, False) == 0
    assert capsys.readouterr().out.startswith(
        f"{tmp_path}/small.model.json: olmo of 77,824 parameters, 2 layers of 1 kind"
    )
    values = json.loads((tmp_path / "small.model.json").read_text(encoding="utf-8"))
    assert (values["hbspec_model"], values["config"]) == (FORMAT, CONFIG)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("missing.json", "neither a config.json nor the id of a model"),
        ("./nowhere", "neither a config.json nor the id of a model"),
        ("broken.json", "is not JSON"),
        ("list.json", "is not a mapping of fields"),
        ("a/b/c", "neither a config.json nor the id of a model"),
        ("somebody/something", "cannot be reached"),
    ],
)
def test_what_is_not_a_config_is_refused(hbspec, tmp_path, word, said):
    pytest.importorskip("huggingface_hub")
    hbspec.write("broken.json", "{")
    hbspec.write("list.json", "[]")
    code, out, err = hbspec("model", "add", word, HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path / "hub"))
    assert (code, out) == (2, "")
    assert said in err
    assert not [*tmp_path.glob("*.model.json")]


def test_a_file_that_exists_stays(hbspec, tmp_path):
    hbspec.write("config.json", json.dumps(CONFIG))
    hbspec.write("mine.model.json", "mine")
    code, _, err = hbspec("model", "add", "config.json", "-o", "mine.model.json")
    assert code == 2
    assert "--force" in err
    assert (tmp_path / "mine.model.json").read_text(encoding="utf-8") == "mine"


def test_a_folder_that_does_not_exist(hbspec):
    hbspec.write("config.json", json.dumps(CONFIG))
    code, _, err = hbspec("model", "add", "config.json", "-o", "no/where.model.json")
    assert code == 2
    assert "does not exist" in err
