"""`hbspec data profile` from outside."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from functools import partial

import pytest
import zstandard
from tokenizers import Tokenizer, models, pre_tokenizers

from hbspec.cli.data_progress import Progress, bar
from hbspec.dataset.files import DataFile

from .conversations import chat

LINES = "".join(f"{chat(f'question {number}', 'word ' * (number % 40))}\n" for number in range(1, 40))
WHOLE = ("data", "profile", "train.jsonl", "-o", "p.json")


@pytest.fixture
def data(hbspec):
    hbspec.write("train.jsonl", LINES)
    return hbspec


class TestProfile:
    def test_what_a_folder_holds_besides_is_noted(self, data):
        data.write("folder/a.jsonl", LINES)
        data.write("folder/part3.txt", LINES)
        code, out, err = data("data", "profile", "folder")
        assert (code, json.loads(out)["examples"]) == (0, 39)
        assert err.startswith("note: folder holds 1 entry that the job does not read")
        assert err.endswith(": 'part3.txt'\n")

    def test_it_is_written_and_what_follows_from_it_is_said(self, data):
        code, out, err = data(*WHOLE)
        assert (code, err) == (0, "")
        document = json.loads((data.folder / "p.json").read_text())
        assert (document["format_version"], document["examples"], document["exact_duplicates"]) == (1, 39, 0)
        assert "digests" not in document
        for heading in (
            "39 examples",
            "Tokens of an example: ",
            "Truncated at max_length",
            "Padded to the",
            "Packed",
            "Advice",
        ):
            assert f"\n{heading}" in f"\n{out}"
        assert "\n  max_length: 64 is expected to truncate nothing: the longest example has 46 tokens\n" in out
        assert out.endswith("\n\np.json\n")

    def test_without_a_file_it_is_printed(self, data):
        code, out, err = data("data", "profile", "train.jsonl")
        assert (code, err) == (0, "")
        data(*WHOLE)
        assert out == (data.folder / "p.json").read_text()

    def test_in_whatever_form_the_data_come(self, data):
        plain = LINES.encode()
        (data.folder / "t.jsonl.gz").write_bytes(gzip.compress(plain))
        (data.folder / "t.jsonl.zst").write_bytes(zstandard.ZstdCompressor().compress(plain))
        middle = plain.index(b"\n", len(plain) // 2) + 1
        data.write("parts/b.jsonl", plain[:middle].decode())
        (data.folder / "parts" / "a.jsonl.gz").write_bytes(gzip.compress(plain[middle:]))
        outs = {data("data", "profile", name, stdin=plain)[1] for name in ("train.jsonl", "-", "parts", "t.jsonl.gz")}
        outs.add(data("data", "profile", "t.jsonl.zst")[1])
        assert len(outs) == 1
        assert '"examples": 39' in outs.pop()

    def test_caps_that_are_asked_for(self, data):
        _, out, _ = data(*WHOLE, "--max-length", "20", "--max-length", "9999")
        assert "\n  20     truncates " in out
        assert "\n  9,999  truncates nothing\n" in out

    @pytest.mark.parametrize("cap", ["0", "-1", "1.5", "x", "1000000"])
    def test_caps_that_are_none(self, data, cap):
        code, out, err = data(*WHOLE, "--max-length", cap)
        assert (code, out) == (2, "")
        assert err == f"hbspec: --max-length {cap}: not a whole number from 1 to 999,999\n"

    def test_one_example_has_no_padding(self, hbspec):
        hbspec.write("train.jsonl", chat("q", "a"))
        code, out, _ = hbspec(*WHOLE)
        assert code == 0
        assert out.startswith("1 example\n")
        assert "Padded" not in out

    def test_forty_columns(self, data):
        _, out, _ = data(*WHOLE, COLUMNS="40")
        assert max(map(len, out.splitlines())) <= 40


class TestTokenizer:
    @pytest.fixture
    def words(self, data):
        tokenizer = Tokenizer(models.WordLevel({"word": 0, "[UNK]": 1}, "[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        tokenizer.save(str(data.folder / "tokenizer.json"))
        template = "{% for m in messages %}{{ m.content }} {% endfor %}"
        data.write("tokenizer_config.json", json.dumps({"chat_template": template}))
        return data

    def test_lengths_are_counted(self, words):
        code, out, _ = words(*WHOLE, "--tokenizer", ".")
        tokens = json.loads((words.folder / "p.json").read_text())["tokens"]
        assert code == 0
        assert (tokens["max"], tokens["mean"]) == (41, 22.0)
        assert "bounds" not in tokens
        assert "\n  max_length: 64 truncates nothing: the longest example has 41 tokens\n" in out

    def test_lengths_are_counted_in_the_chat_template_of_the_job(self, words):
        words.write("mine.jinja", "{% for m in messages %}a b c {{ m.content }} {% endfor %}")
        words(*WHOLE, "--tokenizer", ".", "--chat-template", "mine.jinja")
        tokens = json.loads((words.folder / "p.json").read_text())["tokens"]
        assert (tokens["max"], tokens["mean"]) == (47, 28.0)
        code, _, err = words(*WHOLE, "--chat-template", "mine.jinja")
        assert (code, "--chat-template counts nothing without --tokenizer" in err) == (2, True)

    def test_parts_that_were_counted_otherwise_do_not_merge(self, words):
        words("data", "profile", "train.jsonl", "--part", "-o", "a.json")
        words("data", "profile", "train.jsonl", "--part", "-o", "b.json", "--tokenizer", "tokenizer.json")
        code, _, err = words("data", "merge", "a.json", "b.json")
        assert code == 2
        assert err.startswith("hbspec: tokens were counted in 2 ways: counted with the tokenizer ")

    @pytest.mark.parametrize(
        ("name", "says"),
        [
            ("nowhere", "nowhere is neither a tokenizer.json nor a folder with one"),
            ("acme/nowhere", "not in the Hugging Face cache ("),
            ("train.jsonl", "train.jsonl: not a tokenizer ("),
        ],
    )
    def test_that_is_none(self, words, name, says):
        code, out, err = words(*WHOLE, "--tokenizer", name, HF_HUB_CACHE=str(words.folder))
        assert (code, out) == (2, "")
        assert err.startswith("hbspec: --tokenizer ")
        assert says in err
        assert not (words.folder / "p.json").exists()


class TestBadData:
    def test_lines_left_out_are_said(self, hbspec):
        hbspec.write("train.jsonl", f"{chat('q', 'a')}\nx\n{chat('q', 'b')}")
        code, out, err = hbspec("data", "profile", "train.jsonl")
        assert (code, json.loads(out)["broken_lines"], json.loads(out)["examples"]) == (1, 1, 2)
        assert err.startswith("train.jsonl:2:1: error[HB050] data-line-refused: line 2: not JSON")

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"", "hbspec: train.jsonl: no examples found; give files that hold examples\n"),
            (b"x\n", "train.jsonl:1:1: error[HB050]"),
            (b"PAR1xxxx", "train.jsonl: error[HB051]"),
            (gzip.compress(LINES.encode())[:-9], "train.jsonl:3"),
        ],
    )
    def test_of_nothing_or_of_half_a_file_there_is_no_profile(self, hbspec, content, says):
        (hbspec.folder / "train.jsonl").write_bytes(content)
        code, out, err = hbspec(*WHOLE)
        assert (code, out) == (2, "")
        assert err.startswith(says)
        assert sorted(path.name for path in hbspec.folder.iterdir()) == ["job.yaml", "train.jsonl"]

    def test_a_missing_file(self, hbspec):
        code, out, err = hbspec("data", "profile", "nowhere.jsonl")
        assert (code, out, err) == (2, "", "hbspec: nowhere.jsonl: No such file or directory; correct the path\n")


class TestOutput:
    def test_only_a_profile_is_replaced(self, data):
        assert data(*WHOLE)[0] == data(*WHOLE)[0] == 0
        before = sorted(path.name for path in data.folder.iterdir())
        data.write("p.json", '{"mine": 1}')
        code, out, err = data(*WHOLE)
        assert (code, out) == (2, "")
        assert err == "hbspec: p.json already exists and is not a profile; name another file\n"
        assert (data.folder / "p.json").read_text() == '{"mine": 1}'
        assert sorted(path.name for path in data.folder.iterdir()) == before

    def test_a_profile_of_the_older_format_is_one(self, data):
        tokens = {"mean": 385.3, "p50": 459.1, "p95": 665.6, "max": 684.4, "method": "estimated"}
        old = {"format_version": 1, "examples": 9, "exact_duplicates": 0, "tokens": tokens, "digest": "sha256:00"}
        data.write("p.json", json.dumps(old))
        assert data(*WHOLE)[0] == 0
        assert json.loads((data.folder / "p.json").read_text())["examples"] == 39

    @pytest.mark.parametrize(
        ("output", "says"),
        [
            ("train.jsonl", "train.jsonl already exists and is not a profile; name another file"),
            ("folder", "folder already exists and is not a profile; name another file"),
            ("pipe", "pipe already exists and is not a profile; name another file"),
            ("/dev/null", "/dev/null already exists and is not a profile; name another file"),
            ("dangling", "dangling already exists and is not a profile; name another file"),
            ("no/where/p.json", "no/where/p.json: the folder no/where does not exist; create it, or name another file"),
            (
                "train.jsonl/p.json",
                "train.jsonl/p.json: the folder train.jsonl does not exist; create it, or name another file",
            ),
        ],
    )
    def test_what_cannot_be_written(self, data, output, says):
        (data.folder / "folder").mkdir()
        os.mkfifo(data.folder / "pipe")
        (data.folder / "dangling").symlink_to("nowhere")
        assert data("data", "profile", "train.jsonl", "-o", output) == (2, "", f"hbspec: {says}\n")
        assert (data.folder / "train.jsonl").read_text() == LINES

    def test_an_interrupt_leaves_nothing_behind(self, data):
        words = [sys.executable, "-m", "hbspec", "data", "profile", "-", "-o", "p.json"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        # a shell that runs the tests in the background has interrupts ignored, and children inherit that
        listening = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        with subprocess.Popen(words, cwd=data.folder, preexec_fn=listening, **pipes) as process:
            # more than a pipe holds, so that the command is at work when all of it is written
            process.stdin.write(LINES.encode() * (2**21 // len(LINES)))
            process.stdin.flush()
            process.send_signal(signal.SIGINT)
            # a system call that began just before the signal came must end, or nobody hears of it
            process.stdin.close()
            assert process.wait(timeout=300) == 130
            said = process.stderr.read()
        assert said.strip() == b""
        assert sorted(path.name for path in data.folder.iterdir()) == ["job.yaml", "train.jsonl"]


class TestSpec:
    NO_TOKENS = ("--set", "data.tokens=null", "--set", "data.train=null")

    def profiled(self, data, *more, **change):
        data(*WHOLE)
        path = data.folder / "p.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
        return data("check", "job.yaml", "--set", "data.profile=./p.json", "--set", "data.tokens=null", *more)

    def test_a_profile_feeds_the_plan(self, data):
        data(*WHOLE)
        words = ("estimate", "job.yaml", "--format", "json", "--set", "data.profile=./p.json", *self.NO_TOKENS)
        code, out, _ = data(*words)
        assert (code, json.loads(out)["plan"]["examples"]) == (0, 39)

    def test_another_number_of_examples_is_an_error(self, data):
        code, out, _ = self.profiled(data, "--set", "data.train.examples=40")
        assert code == 1
        assert "error[HB207]" in out
        assert "data.train.examples is 40, but the profile counts 39" in " ".join(out.split())

    def test_another_digest_is_an_error(self, data):
        code, out, _ = self.profiled(
            data, "--set", "data.train.examples=39", "--set", f"data.digest=blake2b-sum:{'0' * 32}"
        )
        assert code == 1
        assert "it describes other data" in " ".join(out.split())

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"examples": -1}, "`examples` is not a whole number of at least 0"),
            ({"examples": 0}, "`examples` is 0"),
            ({"tokens": {"mean": 0, "max": 3, "method": ""}}, "`tokens.mean` is not a positive number"),
            ({"tokens": {"mean": 5, "max": -3, "method": ""}}, "`tokens.max` is not a positive number"),
            (
                {"histogram": {"expected": {"tokens": [-4], "counts": [39]}}},
                "holds -4, which is not a positive whole number",
            ),
            (
                {"histogram": {"expected": {"tokens": [4], "counts": [0]}}},
                "holds 0, which is not a positive whole number",
            ),
            ({"format_version": 2}, "`format_version` is not 1"),
        ],
    )
    def test_a_profile_with_absurd_numbers(self, data, change, says):
        code, out, err = self.profiled(data, **change)
        assert code == 1
        assert says in " ".join((out + err).split())

    @pytest.mark.parametrize(
        "tokens", ["{mean: 0, max: 5}", "{mean: -3, max: 5}", "{mean: 3, max: -5}", "{mean: 9, max: 5}"]
    )
    def test_lengths_in_the_spec_that_are_none(self, data, tokens):
        code, out, err = data("check", "job.yaml", "--set", f"data.tokens={tokens}")
        assert code == 1
        assert "data.tokens" in out + err


class TestProgress:
    def test_without_a_terminal_there_is_no_bar(self, capsys):
        with Progress([DataFile("a", 10)]) as watch:
            watch(10)
        assert capsys.readouterr() == ("", "")

    def test_a_bar_that_comes_after_a_while_and_goes(self, capsys, monkeypatch):
        clock = iter((0.0, 0.5, 2.0, 2.0, 2.05, 3.0, 3.0))
        monkeypatch.setattr("hbspec.cli.data_progress.monotonic", lambda: next(clock))
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", "80")
        with Progress([DataFile("a", 1000)]) as watch:
            for _ in range(4):
                watch(250)
        assert capsys.readouterr().err.split("\r\x1b[K") == ["", bar(500, 1000, 80), bar(1000, 1000, 80), ""]

    @pytest.mark.parametrize("columns", [0, 1, 20, 200])
    def test_a_bar_fits_its_line(self, columns):
        for read, total in ((0, 10**9), (10**9, 10**9), (5 * 10**9, 10**9), (7, None), (7, 0)):
            assert len(bar(read, total, columns)) <= max(columns - 1, 0)
