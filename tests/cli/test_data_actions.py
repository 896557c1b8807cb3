"""What is wrong with data comes with one action that is right at that place."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

MESSAGES = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
PAIR = {"prompt": "p", "chosen": "good", "rejected": "bad"}
EMPTY = pa.Table.from_pylist([], schema=pa.schema([(name, pa.string()) for name in PAIR]))
GIVE = "give files that hold examples"
WHOLE = "replace it by a complete file"


def lines(*values):
    return "".join(f"{json.dumps(value)}\n" for value in values)


def put(hbspec, name, content):
    if isinstance(content, pa.Table):
        pq.write_table(content, hbspec.folder / name)
    else:
        (hbspec.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return name


@pytest.mark.parametrize(
    ("name", "content", "words", "says", "action"),
    [
        ("a.parquet", EMPTY, (), "the training data contain no example", GIVE),
        ("a.jsonl", "", (), "the training data contain no example", GIVE),
        ("a.parquet", b"", (), "the file cannot be read as Parquet (Parquet file size is 0 bytes)", WHOLE),
        ("a.jsonl", b"PAR1....", (), "the file is a Parquet file", "rename it to end in .parquet"),
        ("a.jsonl", b"PK\x03\x04....", (), "the file is a zip archive", "extract what it holds"),
        ("a.jsonl", b"\xff\xfe{\x00", (), "the file is UTF-16 text, not UTF-8", "save it as UTF-8"),
        ("a.jsonl", bytes(50), (), "there are null bytes at its beginning", "save it as text in UTF-8"),
        ("a.json", "[1, 2", (), "the file is not JSON behind its entry 2", "correct it there"),
        ("a.csv", "a,a\n", (), "does not begin with a line of names", "begin it with the names of its columns"),
        ("a.txt", lines(MESSAGES), (), "the job ignores this file", "rename the file"),
        (
            "a-00000-of-00002.jsonl",
            lines(MESSAGES),
            (),
            "a shard is missing: 'a-00001-of-00002.jsonl'",
            "put the missing shards beside the others",
        ),
        (
            "a.jsonl",
            lines(MESSAGES, PAIR),
            (),
            "it is preference (standard), and not language modeling (conversational)",
            "move the examples of other types to data of their own",
        ),
        (
            "a.jsonl",
            lines(PAIR, PAIR),
            ("--type", "prompt_completion"),
            "it is preference (standard), and not prompt-completion (standard)",
            "set --type to the type of the data",
        ),
        (
            "a.jsonl",
            lines({"question": "q", "answer": "a"}),
            (),
            "the columns question, answer are those of no dataset type",
            "name them by --column",
        ),
        (
            "a.jsonl",
            lines({"question": "q", "answer": "a"}),
            ("--type", "prompt_completion"),
            'the line has no "prompt"; its columns are question, answer',
            "name them by --column",
        ),
        (
            "a.jsonl",
            lines({"question": "q", "answer": "a"}),
            ("--column", "prompt=questoin", "--column", "completion=answer"),
            "the line has no column 'questoin'; its columns are question, answer",
            "correct --column",
        ),
        ("a.jsonl", "{\n", (), "line 1: not JSON", "fix or delete the line"),
        ("a.json", '[{"messages": []}]', (), '"messages" holds no message', "fix or delete the entry"),
    ],
)
def test_of_a_check(hbspec, name, content, words, says, action):
    put(hbspec, name, content)
    code, out, err = hbspec("data", "check", name, *words)
    said = " ".join(out.split())
    assert (code, err) == (1, "")
    assert says in said
    assert f"= help: {action} " in said


@pytest.mark.parametrize("words", [("data", "profile"), ("data", "convert", "-o", "out.jsonl")])
@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.parquet", EMPTY, f"hbspec: a.parquet: no examples found; {GIVE}\n"),
        ("a.jsonl", "\n", f"hbspec: a.jsonl: no examples found; {GIVE}\n"),
        ("folder", None, "hbspec: folder holds no file that ends in .jsonl, .json, .csv (also with .gz or .zst)"),
    ],
)
def test_of_a_profile_and_a_conversion(hbspec, words, name, content, says):
    if content is None:
        (hbspec.folder / name).mkdir()
    else:
        put(hbspec, name, content)
    code, out, err = hbspec(*words, name)
    assert (code, out) == (2, "")
    assert err.startswith(says)
    assert "; " in err
    assert sorted(path.name for path in hbspec.folder.iterdir()) == [name, "job.yaml"]


def test_a_conversion_lacks_no_shard(hbspec):
    """What is not there is lost as much as what cannot be read."""
    name = put(hbspec, "a-00000-of-00002.jsonl", lines(MESSAGES))
    code, out, err = hbspec("data", "convert", name, "-o", "out.jsonl")
    assert (code, out) == (2, "")
    assert err == (
        "hbspec: a shard is missing: 'a-00001-of-00002.jsonl'; give all of them, or name the output as a shard to "
        "convert one alone\n"
    )
    assert not (hbspec.folder / "out.jsonl").exists()
    put(hbspec, "in-00000-of-00002.jsonl", lines(MESSAGES))
    assert hbspec("data", "convert", "in-00000-of-00002.jsonl", "-o", "out-00000-of-00002.jsonl")[0] == 0


COLUMNS = ("--column", "prompt=question")


@pytest.mark.parametrize("words", [("check",), ("profile",), ("convert", "-o", "out.jsonl")])
def test_a_prompt_that_only_the_first_pair_lacks(hbspec, words):
    """A pair without its optional prompt is one; a name that no pair has is misspelt."""
    pair = {"chosen": "good", "rejected": "bad"}
    put(hbspec, "a.jsonl", lines(pair, {"question": "q", **pair}))
    assert hbspec("data", *words, "a.jsonl", *COLUMNS)[0] == 0
    put(hbspec, "b.jsonl", lines(pair, {"qeustion": "q", **pair}))
    (hbspec.folder / "out.jsonl").unlink(missing_ok=True)
    code, out, err = hbspec("data", *words, "b.jsonl", *COLUMNS)
    assert code in (1, 2)
    assert "no example has the column 'question'" in " ".join((out + err).split())
    assert "= help: correct --column" in out + err
    assert not (hbspec.folder / "out.jsonl").exists()
