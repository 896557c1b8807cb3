"""HB237: `assistant_only_loss` in a template that cannot mark the assistant's words."""

from __future__ import annotations

from pathlib import Path

import pytest
from judged import HERE, codes, edge, judged

from hbspec.catalog import catalog


def own(template: str, **more: object) -> str:
    """A spec whose script is told of a template."""
    told = {"assistant_only_loss": "true", **more}
    keys = ", ".join(f"{key}: {value}" for key, value in told.items())
    return (
        f"script: {{entry_point: finetune.py, hyperparameters: {{{keys}, chat_template_path: {template}}}}}\n"
        "deployment: null"
    )


def test_edge(tmp_path):
    edge("HB237", own("unmarked.jinja"), "script.hyperparameters.assistant_only_loss", False, True, tmp_path)


@pytest.mark.parametrize(
    ("fragment", "told"),
    [
        (own("marked.jinja"), False),
        (own("gone.jinja"), False),
        (own("Qwen/Qwen3-4B"), False),
        (f"{own('unmarked.jinja')}\nsoftware: {{trl: 1.15.0}}", False),
        (f"{own('unmarked.jinja')}\nsoftware: {{trainer: transformers}}", False),
        (own("unmarked.jinja").replace("assistant_only_loss", "ASSISTANT_ONLY_LOSS"), True),
    ],
)
def test_where_trl_would_refuse(fragment, told, tmp_path):
    assert ("HB237" in codes(fragment, tmp_path)) is told


def test_a_template_that_trl_replaces(tmp_path):
    trl = pytest.importorskip("trl")
    for name, told in (("qwen3", False), ("llama3", False), ("llama3_1", True)):
        text = (Path(trl.__file__).parent / f"chat_templates/{name}.jinja").read_text(encoding="utf-8")
        (tmp_path / "unmarked.jinja").write_text(text, encoding="utf-8")
        (tmp_path / "finetune.py").touch()
        assert bool(judged("HB237", own("unmarked.jinja"), tmp_path)) is told, name


@pytest.mark.parametrize("name", ["marked", "unmarked", *catalog().chat_templates])
def test_trl_itself(name, tmp_path):
    """A finding for exactly the templates for which TRL raises."""
    import jinja2

    utils = pytest.importorskip("trl.chat_template_utils")
    file = HERE / f"{name}.jinja"
    text = file.read_text() if file.exists() else catalog().chat_template(name)

    class Tokenizer:
        chat_template = text

        def apply_chat_template(self, *_, **__):
            raise jinja2.TemplateError("no tools")

    try:
        if not utils.has_generation_markers(text):
            utils.get_training_chat_template(Tokenizer())
        raises = False
    except ValueError:
        raises = True
    (tmp_path / "unmarked.jinja").write_text(text)
    (tmp_path / "finetune.py").touch()
    assert bool(judged("HB237", own("unmarked.jinja"), tmp_path)) is raises


def test_the_table_is_that_of_trl():
    import hashlib
    import inspect
    import re

    utils = pytest.importorskip("trl.chat_template_utils")
    names = re.findall(r"if chat_template == (\w+):", inspect.getsource(utils.get_training_chat_template))
    digests = {hashlib.sha256(getattr(utils, name).encode()).hexdigest()[:16] for name in names}
    assert catalog().trl_training_templates == digests
