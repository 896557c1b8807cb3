"""CHAT_TEMPLATE: the job's own template trains the model, is saved with it, and tells two runs apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import beside
import fingerprint
import pytest
from handover import parse
from settings import RefusedError, Settings
from training_bench import SEED, TEMPLATES, Bench, sums

SHIPPED = TEMPLATES.parent / "src/hbspec/catalog/data/chat_templates"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the script, as a compiled job has it: the template beside it."""
    at = tmp_path / "source"
    at.mkdir()
    for module in (beside, fingerprint):
        monkeypatch.setattr(module, "__file__", str(at / "module.py"))
    (at / "chat_template.jinja").write_text((SHIPPED / "zephyr.jinja").read_text())
    return at


def refused(*more: str) -> tuple[str, ...]:
    with pytest.raises(RefusedError) as found:
        parse(["--MODEL_ID", "m", *more], {})
    return found.value.problems


def test_it_trains_is_saved_with_the_adapters_and_ends_their_answers(
    bench: Bench, job: Callable[..., str], folder: Path
) -> None:
    bench.write({**SEED, "GRADIENT_ACCUMULATION_STEPS": "1"}, sums(8))
    output = job("--max-updates", "1", "--CHAT_TEMPLATE", "chat_template.jinja")
    model = bench.folder / "model"
    assert (model / "chat_template.jinja").read_text().strip() == (folder / "chat_template.jinja").read_text().strip()
    assert "end without a special token" not in output
    endings = json.loads((model / "generation_config.json").read_text())["eos_token_id"]
    tokens = json.loads((model / "tokenizer.json").read_text())["added_tokens"]
    end = json.loads((model / "tokenizer_config.json").read_text())["eos_token"]
    assert next(token["id"] for token in tokens if token["content"] == end) in (
        endings if isinstance(endings, list) else [endings]
    )
    assert any(
        "CHAT_TEMPLATE" in key
        for key in json.loads((bench.folder / "model/hbspec-model.json").read_text())["fingerprint"]["learned"]
    )


def test_another_template_is_another_run_and_another_name_is_not(folder: Path) -> None:
    settings = Settings(MODEL_ID="m", CHAT_TEMPLATE="chat_template.jinja")
    one = fingerprint._template(settings)
    (folder / "same.jinja").write_bytes((folder / "chat_template.jinja").read_bytes())
    assert fingerprint._template(replace(settings, CHAT_TEMPLATE="same.jinja")) == one
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    assert fingerprint._template(settings) != one
    assert fingerprint._template(replace(settings, CHAT_TEMPLATE=None)) == {}


def test_a_template_that_is_replaced_while_the_job_starts_is_refused(folder: Path) -> None:
    settings = Settings(MODEL_ID="m", CHAT_TEMPLATE="chat_template.jinja")
    mine: fingerprint.Fingerprint = {"learned": fingerprint._template(settings), "loaded": {}, "noted": {}}
    assert fingerprint.chat_template(settings, mine) == (folder / "chat_template.jinja").read_text()
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    with pytest.raises(RefusedError, match="was changed while the job started"):
        fingerprint.chat_template(settings, mine)
    assert fingerprint.chat_template(replace(settings, CHAT_TEMPLATE=None), mine) is None


@pytest.mark.parametrize(
    ("content", "said"), [(None, "is not a file beside"), (b"\xff\xfe", "is not UTF-8"), (b" \n", "is empty")]
)
def test_a_file_that_is_no_template_is_refused_before_anything_is_loaded(
    folder: Path, content: bytes | None, said: str
) -> None:
    if content is not None:
        (folder / "mine.jinja").write_bytes(content)
    (problem,) = refused("--CHAT_TEMPLATE", "mine.jinja")
    assert said in problem


def test_a_path_is_not_a_file_beside_the_script(folder: Path) -> None:
    (problem,) = refused("--CHAT_TEMPLATE", "../source/chat_template.jinja")
    assert "is not a file beside this script" in problem


def test_the_end_of_an_answer_is_added_to_the_endings_of_the_base_model(bench: Bench) -> None:
    import tiny
    from conversations import Conversation
    from splits import end_answers
    from transformers import GenerationConfig

    class Model:
        generation_config = GenerationConfig(eos_token_id=1)

    template = (SHIPPED / "llama3.jinja").read_text()
    tokenizer = tiny.train_tokenizer(["user assistant 3"], tiny.Family(template, tiny.FAMILIES["llama"].tokens))
    end = tokenizer.convert_tokens_to_ids("<|eot_id|>")
    for held, expected in ((9, [9, end]), ([9, 8], [9, 8, end]), (None, [end]), ([end], [end])):
        Model.generation_config.eos_token_id = held
        end_answers(Model, tokenizer, Conversation("here", tuple(sums(1)[0])))
        assert Model.generation_config.eos_token_id == expected
