"""`hbspec data check` from outside."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys

import pytest

from .conversations import chat

ENTRY = (sys.executable, "-m", "hbspec")


class TestFindings:
    def test_good_data(self, hbspec):
        hbspec.write("train.jsonl", f"{chat('q', 'a')}\n\n{chat('q', 'b')}\n")
        assert hbspec("data", "check", "train.jsonl") == (0, "no errors\n2 training examples\n", "")

    def test_lines_that_training_cannot_use(self, hbspec):
        hbspec.write("train.jsonl", f"{chat('q', 'a')}\n{{\n{{\n")
        code, out, err = hbspec("data", "check", "train.jsonl")
        assert (code, err) == (1, "")
        assert out == (
            "train.jsonl:2:1: error[HB050] data-line-refused: 2 lines (2, 3): not JSON (Expecting property name "
            "enclosed in double quotes)\n  = help: fix or delete the line\n\n1 error\n1 training example\n"
        )

    def test_validation_against_training(self, hbspec):
        hbspec.write("train.jsonl", f"{chat('q', 'a')}\n")
        hbspec.write("held/out.jsonl", f"{chat('q', 'a')}\n{chat('q', 'b')}\n")
        code, out, _ = hbspec("data", "check", "train.jsonl", "--validation", "held")
        assert code == 0
        assert "held/out.jsonl:1:1: warning[HB056] example-in-both-splits: 1 of 2 examples (line 1)" in out
        assert "held/out.jsonl:1:1: warning[HB057] prompt-in-both-splits: 2 of 2 examples (lines 1, 2)" in out
        assert out.endswith("no errors, 2 warnings in 2 files\n1 training example and 2 validation examples\n")

    def test_as_json(self, hbspec):
        hbspec.write("data/train.jsonl", "[]\n" + f"{chat('q', '{name}')}\n")
        code, out, _ = hbspec("data", "check", "data/train.jsonl", "--format", "json")
        report = json.loads(out)
        assert code == 1
        assert [entry["file"] for entry in report["diagnostics"]] == ["data/train.jsonl"] * 2
        assert report["data"]["splits"]["training"]["examples"] == 1
        assert [(entry["code"], entry["count"]) for entry in report["data"]["findings"]] == [("HB050", 1), ("HB058", 1)]
        assert report["data"]["findings"][1]["places"] == [{"file": "data/train.jsonl", "line": 2}]

    def test_the_chat_template_of_the_job(self, hbspec):
        """Of two lines that are fine without it, one is refused, as by the shipped script."""
        system = json.loads(chat("q", "a"))
        system["messages"].insert(0, {"role": "system", "content": "Be brief."})
        hbspec.write("train.jsonl", f"{chat('q', 'a')}\n{json.dumps(system)}\n")
        assert hbspec("data", "check", "train.jsonl")[0] == 0
        assert hbspec("data", "check", "train.jsonl", "--chat-template", "chatml")[0] == 0
        code, out, _ = hbspec("data", "check", "train.jsonl", "--chat-template", "gemma")
        assert code == 1
        assert "train.jsonl:2:1: error[HB062] template-refuses-example: 1 of 2 examples (line 2): System role" in out

    def test_a_chat_template_that_there_is_none_of(self, hbspec):
        hbspec.write("train.jsonl", f"{chat('q', 'a')}\n")
        hbspec.write("bad.jinja", "{% for %}")
        code, _, err = hbspec("data", "check", "train.jsonl", "--chat-template", "lama3")
        assert code == 2
        assert "--chat-template lama3 is not one of chatml, gemma" in err
        code, _, err = hbspec("data", "check", "train.jsonl", "--chat-template", "bad.jinja")
        assert code == 2
        assert "--chat-template bad.jinja is not a Jinja template" in err

    def test_for_github(self, hbspec):
        hbspec.write("train.jsonl", "[]\n")
        code, out, _ = hbspec("data", "check", "train.jsonl", "--format", "github")
        assert code == 1
        assert out.startswith("::error title=HB050 data-line-refused,file=train.jsonl,line=1,")

    def test_forty_columns(self, hbspec):
        hbspec.write("train.jsonl", f"{chat('q', '{name}')}\n{{\n")
        _, out, _ = hbspec("data", "check", "train.jsonl", COLUMNS="40")
        assert max(map(len, out.splitlines())) <= 40

    def test_escapes_in_the_data_reach_no_terminal(self, hbspec):
        message = {"role": "\x1b[31m", "content": "x"}
        extra = {"role": "user", "content": "{a\x1b}", "\x1b[31m\ud800": 1}
        text = "".join(f"{json.dumps({'messages': [entry]})}\n" for entry in (message, extra))
        hbspec.write("train.jsonl", text)
        for form in ("text", "github", "json"):
            code, out, _ = hbspec("data", "check", "train.jsonl", "--format", form)
            assert code == 1
            assert "\x1b" not in out


class TestProfiles:
    def test_of_these_data(self, hbspec):
        hbspec.write("train.jsonl", f"{chat('q', 'a')}\n")
        hbspec("data", "profile", "train.jsonl", "-o", "p.json")
        assert hbspec("data", "check", "train.jsonl", "--profile", "p.json")[0] == 0

    def test_of_other_data(self, hbspec):
        hbspec.write("train.jsonl", f"{chat('q', 'a')}\n")
        hbspec("data", "profile", "train.jsonl", "-o", "p.json")
        hbspec.write("train.jsonl", f"{chat('q', 'b')}\n")
        code, out, _ = hbspec("data", "check", "train.jsonl", "--profile", "p.json")
        assert code == 1
        assert out.startswith("train.jsonl: error[HB060] profile-of-other-data: p.json has the digest blake2b-sum:")

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("{", "p.json is not JSON"),
            ("{}", "p.json: not a profile: `format_version` is not 1"),
            ('{"format_version": 1, "examples": 0, "tokens": {}}', "p.json: `examples` is 0"),
            (
                '{"format_version": 1, "examples": 1, "tokens": {"mean": -3, "max": 0}}',
                "p.json: `tokens.mean` is not a",
            ),
        ],
    )
    def test_that_is_none(self, hbspec, text, says):
        hbspec.write("train.jsonl", f"{chat('q', 'a')}\n")
        hbspec.write("p.json", text)
        code, out, err = hbspec("data", "check", "train.jsonl", "--profile", "p.json")
        assert (code, out) == (2, "")
        assert err.startswith(f"hbspec: {says}")


class TestFiles:
    def test_standard_input_plain_and_compressed(self, hbspec):
        text = f"{chat('q', 'a')}\n".encode()
        for content in (text, gzip.compress(text)):
            assert hbspec("data", "check", "-", stdin=content) == (0, "no errors\n1 training example\n", "")

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"", "train.jsonl: error[HB051] data-file-refused: the training data contain no example\n"),
            (b"PAR1....", "train.jsonl: error[HB051] data-file-refused: the file is a Parquet file, but"),
            (bytes(50), "train.jsonl: error[HB051] data-file-refused: the file is not text: there are null bytes"),
            (b"\xff\xfe{\x00", "train.jsonl: error[HB051] data-file-refused: the file is UTF-16 text, not UTF-8\n"),
            (b"\x90\n\x91\n", "train.jsonl:1:1: error[HB050] data-line-refused: 2 lines (1, 2): not UTF-8 text\n"),
            (
                gzip.compress(b"{}\n" * 9)[:-4],
                "train.jsonl:9:1: error[HB051] data-file-refused: line 9: the file cannot",
            ),
        ],
    )
    def test_bad_ones(self, hbspec, content, says):
        (hbspec.folder / "train.jsonl").write_bytes(content)
        code, out, err = hbspec("data", "check", "train.jsonl")
        assert (code, err) == (1, "")
        assert says in out
        assert "  = help: " in out
        assert (hbspec.folder / "train.jsonl").read_bytes() == content

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (("nowhere.jsonl",), "nowhere.jsonl: No such file or directory; correct the path"),
            (
                ("empty",),
                "empty holds no file that ends in .jsonl, .json, .csv (also with .gz or .zst), .parquet; "
                "name another folder",
            ),
            (("t.jsonl", "t.jsonl"), "t.jsonl is named twice"),
            (("t.jsonl", "--validation", "t.jsonl"), "t.jsonl cannot be both training data and --validation"),
            (("-", "--validation", "-"), "- cannot be both training data and --validation"),
            (("t.jsonl", "--profile", "nowhere.json"), "nowhere.json: No such file or directory; correct the path"),
        ],
    )
    def test_names_that_are_wrong(self, hbspec, words, says):
        hbspec.write("t.jsonl", f"{chat('q', 'a')}\n")
        (hbspec.folder / "empty").mkdir()
        assert hbspec("data", "check", *words) == (2, "", f"hbspec: {says}\n")


class TestProcess:
    def test_a_reader_that_goes_away(self, hbspec):
        hbspec.write("train.jsonl", "".join(f'{{"messages": [{{"role": "r{n}", "content": ""}}]}}\n' for n in range(9)))
        words = [*ENTRY, "data", "check", "train.jsonl", "--format", "json"]
        with subprocess.Popen(words, cwd=hbspec.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdout.close()
            assert b"Traceback" not in process.stderr.read()
            assert process.wait(timeout=300) == 141

    def test_closed_standard_input(self, hbspec):
        command = 'exec "$0" -m hbspec data check - <&-'
        done = subprocess.run(["bash", "-c", command, sys.executable], capture_output=True, check=False, timeout=300)
        assert done.returncode == 1
        assert b"standard input is closed" in b" ".join(done.stdout.split())
        assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    "columns", [("prompt=q", "completion=aa"), ("completion=aa", "prompt=q"), ("prompt=qq", "completion=a")]
)
def test_a_column_that_is_named_and_not_there_is_no_other_type(hbspec, columns):
    """Without its completions, the file would pass as one of prompts alone."""
    hbspec.write("rows.jsonl", '{"q": "a", "a": "b"}\n{"q": "c", "a": "d"}\n')
    words = [word for column in columns for word in ("--column", column)]
    code, out, _ = hbspec("data", "check", "rows.jsonl", *words)
    wrong = next(column for column in columns if column[-2:] in ("aa", "qq"))[-2:]
    assert code == 1
    assert f"2 lines (1, 2): the line has no column '{wrong}'; its columns are q, a" in out


def test_columns_of_another_type_that_only_later_examples_have(hbspec):
    hbspec.write("a.jsonl", '{"prompt": "a"}\n{"prompt": "b", "completion": "c", "id": 1}\n{"prompt": "d", "id": 2}\n')
    code, out, _ = hbspec("data", "check", "a.jsonl")
    assert code == 0
    said = " ".join(out.split())
    assert "1 of 3 examples (line 2): completion not read, since the first example lacks it" in said
    assert "= help: give all examples the same columns" in said
