"""The job trains plain texts and prompt-completion, with the labels that TRL gives, and holds a share out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiny
from conversations import IGNORED, Conversation, Passage, encode, read_conversations
from readers import Reader
from records import Layout
from settings import RefusedError
from training_bench import Bench, sums

PAIRS = [
    {"prompt": f"Task {number}: {number} plus 3 is ", "completion": f"{number + 3}, of course."} for number in range(12)
]
STANDARD = Layout("prompt_completion", "standard")


def put(folder: Path, rows: list[dict[str, Any]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    texts = (text for row in PAIRS for text in row.values())
    return tiny.train_tokenizer(texts, tiny.FAMILIES["chatml"])


@pytest.mark.parametrize("rows", [PAIRS, [{"text": row["prompt"] + row["completion"]} for row in PAIRS]])
def test_labels_are_those_of_trl(tmp_path: Path, tokenizer: Any, rows: list[dict[str, str]]) -> None:
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    layout = STANDARD if "prompt" in rows[0] else Layout("language_modeling", "standard")
    found, tally = encode(tokenizer, read_conversations(put(tmp_path, rows), None, Reader(layout)), 30)
    itself = SimpleNamespace(_tokenizer=tokenizer, chat_template=None, completion_only_loss="prompt" in rows[0])
    arguments = SFTConfig(str(tmp_path), max_length=30, use_cpu=True, bf16=False)
    theirs = SFTTrainer._prepare_dataset(itself, Dataset.from_list(rows), tokenizer, arguments, False, None, "train")
    assert [{key: row[key] for key in ("input_ids", "labels")} for row in theirs] == found
    assert tally.trained_tokens < tally.tokens or layout != STANDARD


def test_a_conversation_is_learnt_from_its_completion_on(tmp_path: Path, tokenizer: Any) -> None:
    turns = sums(1)[0]
    assert [turn["role"] for turn in turns].count("assistant") == 2
    row = {"prompt": turns[:-1], "completion": turns[-1:]}
    reader = Reader(Layout("prompt_completion", "conversational"))
    [example] = read_conversations(put(tmp_path, [row]), None, reader)
    assert isinstance(example, Conversation)
    [encoded], _ = encode(tokenizer, [example], 10_000)
    learnt = [label for label in encoded["labels"] if label != IGNORED]
    assert tokenizer.decode(learnt) == turns[-1]["content"] + tokenizer.eos_token


def test_columns_under_other_names_and_files_with_weights(tmp_path: Path) -> None:
    renamed = [{"question": row["prompt"], "answer": row["completion"], "id": 1} for row in PAIRS]
    put(tmp_path / "half", renamed)
    put(tmp_path / "twice", renamed[:2])
    reader = Reader(STANDARD, {"prompt": "question", "completion": "answer"})
    found = read_conversations(tmp_path, None, reader, {"half/": 0.5, "twice/data.jsonl": 2})
    assert all(isinstance(example, Passage) for example in found)
    assert [example.prompt for example in found] == [
        *(row["prompt"] for row in PAIRS[1::2]),
        *(row["prompt"] for row in PAIRS[:2] for _ in range(2)),
    ]
    with pytest.raises(RefusedError, match="holds no nowhere/, which has a weight"):
        read_conversations(tmp_path, None, reader, {"nowhere/": 2})


def test_a_missing_shard_is_refused(tmp_path: Path) -> None:
    put(tmp_path, PAIRS)
    (tmp_path / "data.jsonl").rename(tmp_path / "data-00000-of-00002.jsonl")
    with pytest.raises(RefusedError, match=r"a shard is missing: '.*data-00001-of-00002\.jsonl'"):
        read_conversations(tmp_path, None, Reader(STANDARD))


def test_a_job_trains_pairs_and_evaluates_on_the_share_that_it_holds_out(
    bench: Bench, job: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {
        "MODEL_ID": "m", "METHOD": "lora", "MAX_STEPS": "2", "EVAL_STEPS": "1", "DATA_TYPE": "prompt_completion",
        "DATA_FORMAT": "standard", "VALIDATION_SHARE": "0.2",
    }  # fmt: skip
    bench.write(settings, [])
    put(bench.folder / "train", PAIRS)
    out = job()
    assert "train: 9 examples of 9" in out
    assert "validation: 3 examples of 3" in out
    assert bench.record["updates"] == 2


@pytest.mark.parametrize(
    ("settings", "rows", "says"),
    [
        ({"VALIDATION_SHARE": "0.5"}, PAIRS[:1], "VALIDATION_SHARE=0.5 of 1 examples leaves none to train on"),
        ({}, [{"chosen": "a", "rejected": "b"}], 'has no "prompt": it is preference (standard), and not prompt-compl'),
        ({"DATA_COLUMNS": "[]"}, PAIRS, "must be a JSON map of names"),
        ({"DATA_WEIGHTS": '{"a": 0}'}, PAIRS, "must be a JSON map of names to numbers above 0"),
        ({"CHAT_TEMPLATE": "x.jinja"}, PAIRS, "CHAT_TEMPLATE has no effect with DATA_FORMAT=standard"),
        ({"DATA_TYPE": "preference"}, PAIRS, "TASK=sft trains language_modeling and prompt_completion, and DATA_TYPE"),
    ],
)
def test_what_cannot_be_trained_is_refused_at_once(
    bench: Bench, capsys: pytest.CaptureFixture[str], settings: dict[str, str], rows: list[Any], says: str
) -> None:
    import train

    plain = {"MODEL_ID": "m", "METHOD": "lora", "DATA_TYPE": "prompt_completion", "DATA_FORMAT": "standard"}
    bench.write(plain | settings, [])
    put(bench.folder / "train", rows)
    assert train.main(bench.arguments) == 2
    assert says in capsys.readouterr().err


MESSAGES = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
HOLDS = "give the channel files that hold examples"


@pytest.mark.parametrize(
    ("name", "content", "settings", "says"),
    [
        ("data.jsonl", "", {}, f"holds no example; {HOLDS}"),
        ("data.parquet", "", {}, "(Parquet file size is 0 bytes); replace it by a complete file"),
        ("data.txt", "x", {}, "(also with .gz or .zst), .parquet; give the channel files with such names"),
        ("data-00000-of-00002.jsonl", json.dumps(PAIRS[0]), {}, "; give the channel all of them"),
        ("data.jsonl", "{", {}, "; fix or delete the line"),
        (
            "data.jsonl",
            json.dumps(MESSAGES),
            {},
            "and not prompt-completion (standard); set DATA_TYPE to the type of the data",
        ),
        (
            "data.jsonl",
            f"{json.dumps(PAIRS[0])}\n{json.dumps(MESSAGES)}",
            {},
            "(standard); move the examples of other types to data of their own",
        ),
        ("data.jsonl", '{"instruction": "q", "output": "a"}', {}, "; convert the data with `hbspec data convert`"),
        (
            "data.jsonl",
            '{"q": "q", "a": "a"}',
            {},
            'the line has no "prompt"; its columns are q, a; name them by DATA_COLUMNS',
        ),
        (
            "data.jsonl",
            '{"q": "q", "completion": "a"}',
            {"DATA_COLUMNS": '{"prompt": "question"}'},
            "the line has no column 'question'; its columns are q, completion; correct DATA_COLUMNS",
        ),
        ("data.jsonl", '{"prompt": "q", "completion": ""}', {}, "so nothing to learn; add the answer, or delete the"),
    ],
)
def test_what_is_refused_comes_with_an_action(
    bench: Bench, capsys: pytest.CaptureFixture[str], name: str, content: str, settings: dict[str, str], says: str
) -> None:
    import train

    plain = {"MODEL_ID": "m", "METHOD": "lora", "DATA_TYPE": "prompt_completion", "DATA_FORMAT": "standard"}
    bench.write(plain | settings, [])
    folder = bench.folder / "train"
    for path in folder.iterdir():
        path.unlink()
    (folder / name).write_text(content)
    assert train.main(bench.arguments) == 2
    assert says in capsys.readouterr().err
