"""The language server in the hands of an editor, over its pipes."""

from __future__ import annotations

from pathlib import Path

import pytest

from hbspec.api import check

from .editor import Editor

STARTER = (Path(__file__).parents[2] / "src/hbspec/cli/starter.yaml").read_text(encoding="utf-8")
SECRET = "hf_abcdefghijklmnopqrstuvwx"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="module")
def editor(folder):
    """One server for all tests; at the end nothing has gone wrong in it, and it ends as it is told to."""
    found = Editor(folder)
    yield found
    code, said = found.close()
    assert (code, said, found.logged) == (0, "", [])


def line_of(text, words):
    return next(number for number, line in enumerate(text.split("\n")) if words in line)


def codes(findings):
    return [one["code"] for one in findings]


def test_findings_are_those_of_check(editor, folder):
    file = folder / "job.yaml"
    for text in (STARTER, STARTER.replace("6h ", "6  "), STARTER.replace("2000", "3"), STARTER + "nothing: 1\n"):
        (folder / "other.yaml").write_text(text)
        said = check(folder / "other.yaml").diagnostics
        found = editor.change(file, text) if text != STARTER else editor.open(file, text)
        assert codes(found) == [one.code for one in said]
        starts = [(one["range"]["start"]["line"], one["range"]["start"]["character"]) for one in found]
        assert starts == [(one.span.start.line - 1, one.span.start.column - 1) for one in said]


def test_the_last_of_several_states_is_judged(editor, folder):
    file = folder / "fast.yaml"
    editor.open(file, STARTER)
    broken = [STARTER[:at] for at in range(200, 1200, 97)]
    assert codes(editor.change(file, *broken, STARTER + "x: 1\n"))[-1:] == ["HB020"]


BROKEN = [
    "name: [",
    "\t- x",
    "? {",
    "name: \ud7ff\x00",
    "[" * 9000,
    "extends: ./none.yaml",
    "a: &a [*a]",
    "#" + "x" * 2**20,
    "a: " * 3000,
]


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_no_text_is_too_broken(editor, folder, text):
    file = folder / "broken.yaml"
    assert codes(editor.open(file, f"hbspec: 1\n{text}"))
    for column in (0, 5, 8999):
        editor.about("hover", file, 1, column)
        editor.about("completion", file, 1, column)
    editor.ask("textDocument/documentLink", textDocument={"uri": file.as_uri()})


def test_what_is_not_a_spec_is_left_alone(editor, folder):
    file = folder / "compose.yaml"
    (folder / "spec.yaml").write_text(STARTER)
    document = {"uri": file.as_uri(), "languageId": "yaml", "version": 1, "text": "services: {}\nmodel: x\n"}
    editor.tell("textDocument/didOpen", textDocument=document)
    editor.open(folder / "spec.yaml", STARTER)
    assert file.as_uri() not in editor.published
    assert editor.about("hover", file, 1, 1) is None
    assert editor.about("completion", file, 1, 1)["items"] == []


def test_the_configuration_of_the_project_counts(editor, tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "deep").mkdir()
    text = STARTER.replace("examples: 2000", "examples: 3")
    assert "HB218" in codes(editor.open(tmp_path / "deep/job.yaml", text))
    (tmp_path / "hbspec.toml").write_text('ignore = ["HB218"]\n')
    assert "HB218" not in codes(editor.change(tmp_path / "deep/job.yaml", text + "\n"))
    (tmp_path / "hbspec.toml").write_text("ignored = 1\n")
    (wrong,) = editor.change(tmp_path / "deep/job.yaml", text)
    assert "ignored is not a key" in wrong["message"]


def test_the_files_that_the_configuration_names_count(editor, tmp_path):
    (tmp_path / ".git").mkdir()
    file, configuration = tmp_path / "job.yaml", tmp_path / "hbspec.toml"
    editor.open(file, STARTER)
    (tmp_path / "policy.yaml").write_text("policy: 1\nregions: [eu-west-1]\n")
    configuration.write_text('policy = "policy.yaml"\n')
    (found,) = editor.change(file, STARTER + "\n")
    assert "us-east-1" in found["message"]
    assert "policy.yaml:2" in found["message"]
    configuration.write_text('catalog = "prices.csv"\n')
    for text, said in ((None, "cannot be read: No such file"), ("# x", "not a file of prices; write one with `hbspec")):
        if text:
            (tmp_path / "prices.csv").write_text(text)
        (found,) = editor.change(file, STARTER + (text or ""))
        assert (found["code"], said in found["message"]) == ("HB070", True)


def test_a_base_counts_as_it_is_in_the_editor(editor, tmp_path):
    base, job = tmp_path / "base.yaml", tmp_path / "job.yaml"
    base.write_text(STARTER)
    assert codes(editor.open(job, "extends: ./base.yaml\nname: other\n")) == []
    editor.open(base, STARTER)
    editor.write(base, STARTER.replace("id: Qwen", "ids: Qwen"))
    (found,) = editor.findings(job)
    assert (found["code"], found["range"]["start"]["line"]) == ("HB020", 0)
    assert found["relatedInformation"][0]["location"]["uri"].endswith("base.yaml")
    editor.tell("textDocument/didClose", textDocument={"uri": base.as_uri()})
    assert editor.findings(job) == []


def test_hover_says_what_a_key_is_and_what_follows(editor, folder):
    file = folder / "hover.yaml"
    text = STARTER.replace("effective_batch_size: 16", "effective_batch_size: 99")
    editor.open(file, text)

    def hover(words, column=4):
        return editor.about("hover", file, line_of(text, words), column)["contents"]["value"]

    assert "Hugging Face id" in hover("  id:")
    assert "type `qwen2`" in hover("  id:")
    assert "1 x A10G" in hover("type: ml.g5.2xlarge")
    assert "training.memory_per_gpu: `" in hover("type: ml.g5.2xlarge")
    assert "training.duration: `" in hover("max_runtime")
    assert "Claimed `99`, calculated `" in hover("training.effective_batch_size")
    assert "Assumed, since the spec does not say:" in hover("hyperparameters:")
    assert editor.about("hover", file, 0, 3) is None


def test_keys_and_names_are_completed(editor, folder):
    file = folder / "complete.yaml"

    def words(text):
        editor.open(file, text)
        line, last = text.count("\n"), text.split("\n")[-1]
        return [one["label"] for one in editor.about("completion", file, line, len(last))["items"]]

    start = "hbspec: 1\nname: x\n"
    assert words(start + "mod") == ["model"]
    assert "name" not in words(start)
    assert words(start + "model:\n  i") == ["id", "config", "revision", "license", "adapter_revision"]
    assert "Qwen/Qwen2.5-7B" in words(start + "model: {id: qwen2.5-7")
    assert "ml.g5.2xlarge" in words(start + "instance:\n  type: ml.g5.2x")
    assert words(start + "instance:\n  parallelism: z") == ["zero1", "zero2", "zero3"]
    assert "ca-central-1" in words(start + "instance:\n  region: ca")
    assert words(start + "expect:\n  training.st") == ["training.step_time"]


def test_a_fix_changes_what_it_says_and_nothing_else(editor, folder):
    file = folder / "fix.yaml"
    text = STARTER.replace("parallelism: single", "parallelism: singel").replace("# one A10G", "# one A10G 🙂 é")
    found = [one for one in editor.open(file, text) if one["code"] == "HB025"]
    span = found[0]["range"]
    (action,) = editor.ask(
        "textDocument/codeAction",
        textDocument={"uri": file.as_uri()}, range=span, context={"diagnostics": found},
    )  # fmt: skip
    (edit,) = action["edit"]["changes"][file.as_uri()]
    lines = text.split("\n")
    first, last = edit["range"]["start"]["line"], edit["range"]["end"]["line"]
    after = "\n".join(lines[:first]) + "\n" + edit["newText"] + "\n".join(lines[last:])
    assert after == text.replace("singel", "single")
    assert action["title"].startswith("change it to single")


def test_a_typo_in_a_key_has_a_quick_fix(editor, folder):
    file = folder / "typo.yaml"
    (found,) = editor.open(file, STARTER.replace("lora_alpha:", "lora_alhpa:"))
    (action,) = editor.ask(
        "textDocument/codeAction",
        textDocument={"uri": file.as_uri()}, range=found["range"], context={"diagnostics": [found]},
    )  # fmt: skip
    (edit,) = action["edit"]["changes"][file.as_uri()]
    assert action["title"] == "rename it to lora_alpha (changes the job)"
    assert edit["newText"] == "  lora_alpha: 32\n"


def test_files_are_linked(editor, tmp_path):
    file = tmp_path / "job.yaml"
    (tmp_path / "base.yaml").write_text(STARTER)
    (tmp_path / "config.json").write_text("{}")
    text = "extends: ./base.yaml\nmodel: {config: config.json}\ndata:\n  profile: none.json\n"
    editor.open(file, text)
    links = editor.ask("textDocument/documentLink", textDocument={"uri": file.as_uri()})
    assert [one["target"].rsplit("/", 1)[1] for one in links] == ["base.yaml", "config.json"]
    assert links[0]["range"]["start"] == {"line": 0, "character": 9}


def test_no_secret_is_shown(editor, folder):
    file = folder / "secret.yaml"
    text = STARTER.replace("name: my-first-job", f"name: {SECRET}").replace(
        "sagemaker:\n", f"sagemaker:\n  environment: {{X: {SECRET}}}\n"
    )
    shown = [editor.open(file, text)]
    shown += [editor.about("hover", file, line, column) for line in range(40) for column in (3, 20)]
    assert SECRET not in repr(shown)
    assert "HB605" in codes(shown[0])
