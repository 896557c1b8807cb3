from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lines
import pytest
import tiny
from conversations import IGNORED, Conversation, encode, prompted_only, read_conversations, template_of
from settings import RefusedError
from spoken import answers
from training_bench import Bench, sums

R1 = list(tiny.FAMILIES["r1"].tokens)
LLAMA = ["<|begin_of_text|>", "<|eot_id|>", "<pad>", "<|start_header_id|>", "<|end_header_id|>"]
PUBLISHED = {
    "qwen2_5": (["<|endoftext|>", "<|im_end|>", "<pad>", "<|im_start|>"], "<|im_end|>"),
    "qwen3": (["<|endoftext|>", "<|im_end|>", "<pad>", "<|im_start|>", "<think>", "</think>"], "<|im_end|>"),
    "deepseek_r1_distill": (R1, R1[1]),
    "llama3": (LLAMA, "<|eot_id|>"),
    "llama3_1": (LLAMA, "<|eot_id|>"),
    "phi3": (["<s>", "<|end|>", "<|endoftext|>", "<|user|>", "<|assistant|>", "<|system|>"], "<|end|>"),
    "gemma3": (["<bos>", "<end_of_turn>", "<pad>", "<start_of_turn>"], "<end_of_turn>"),
}
"""Chat templates as models publish them (trl carries them), their special tokens, and the one that ends a turn."""


def tokenizer_with(template: str) -> Any:
    import trl

    text = (Path(trl.__file__).parent / f"chat_templates/{template}.jinja").read_text()
    kind = tiny.Family(text, tuple(PUBLISHED[template][0]))
    return tiny.train_tokenizer((message["content"] for messages in sums(40) for message in messages), kind)


@pytest.fixture(scope="module", params=PUBLISHED)
def published(request: pytest.FixtureRequest) -> tuple[Any, str]:
    return tokenizer_with(request.param), PUBLISHED[request.param][1]


def trained(tokenizer: Any, messages: list[dict[str, str]], max_length: int = 10_000) -> list[str]:
    """The texts of the stretches of tokens that carry a label, one by one."""
    [row], _ = encode(tokenizer, [Conversation("here", tuple(messages))], max_length)
    assert all(label in (IGNORED, token) for label, token in zip(row["labels"], row["input_ids"], strict=True))
    stretches: list[list[int]] = [[]]
    for label in row["labels"]:
        if label != IGNORED:
            stretches[-1].append(label)
        elif stretches[-1]:
            stretches.append([])
    return [tokenizer.decode(ids) for ids in stretches if ids]


def test_exactly_the_answers_and_their_end_tokens_are_trained(published: tuple[Any, str]) -> None:
    tokenizer, end = published
    for messages in sums(12, seed=7):
        expected = [message["content"] + end for message in messages if message["role"] == "assistant"]
        found = trained(tokenizer, messages)
        if "<think>" in tokenizer.get_added_vocab():  # Qwen3 opens the last answer with an empty thought, to be learnt
            expected[-1] = "<think>\n\n</think>\n\n" + expected[-1]
        assert found == expected


def test_the_row_is_the_templates_own_text(published: tuple[Any, str]) -> None:
    tokenizer, _ = published
    messages = sums(1)[0]
    [row], _ = encode(tokenizer, [Conversation("here", tuple(messages))], 10_000)
    assert row["input_ids"] == tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False)


@pytest.mark.parametrize(
    "words", ["<b>bold</b> and <|odd", "\n\nafter a gap", "naïve 日本語 🏒🏒", "Task 1: what is 3?"]
)
def test_awkward_answers_are_found_whole(published: tuple[Any, str], words: str) -> None:
    tokenizer, end = published
    messages = [{"role": "user", "content": words}, {"role": "assistant", "content": words}]
    [found] = trained(tokenizer, messages)
    assert found.endswith(words.strip() + end)
    assert "user" not in found.lower()


def test_r1_drops_the_reasoning_and_says_so() -> None:
    tokenizer = tokenizer_with("deepseek_r1_distill")
    messages = [
        {"role": "user", "content": "What is 3 plus 4?"},
        {"role": "assistant", "content": "<think>\nthree and four\n</think>\n\nIt is 7."},
    ]
    [row], tally = encode(tokenizer, [Conversation("here", tuple(messages))], 10_000)
    assert trained(tokenizer, messages) == ["\n\nIt is 7." + R1[1]]
    assert tally.reasoning_dropped == 1
    assert "three" not in tokenizer.decode(row["input_ids"])


def test_qwen3_keeps_the_reasoning_of_the_last_answer() -> None:
    tokenizer = tokenizer_with("qwen3")
    words = "<think>\nthree and four\n</think>\n\nIt is 7."
    messages = [{"role": "user", "content": "What is 3 plus 4?"}, {"role": "assistant", "content": words}]
    _, tally = encode(tokenizer, [Conversation("here", tuple(messages))], 10_000)
    assert trained(tokenizer, messages) == [words + "<|im_end|>"]
    assert tally.reasoning_dropped == 0


def test_a_prompt_that_opens_the_answer_with_words_no_training_text_has_is_known() -> None:
    one = Conversation("here", tuple(sums(1)[0]))
    assert prompted_only(template_of(tokenizer_with("deepseek_r1_distill")), one) == "<think>\n"
    assert prompted_only(template_of(tokenizer_with("llama3")), one) == ""
    assert prompted_only(template_of(tokenizer_with("qwen2_5")), one) == ""


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_the_shipped_templates_are_masked_the_same_way(name: str) -> None:
    kind = tiny.FAMILIES[name]
    tokenizer = tiny.train_tokenizer((message["content"] for messages in sums(40) for message in messages), kind)
    messages = sums(1)[0]
    assert trained(tokenizer, messages) == [
        message["content"] + kind.tokens[1] for message in messages if message["role"] == "assistant"
    ]


def test_an_answer_that_no_special_token_ends_is_counted_and_a_header_that_nothing_prompts_is_learnt() -> None:
    template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    kind = tiny.Family(template, ("<s>", "</s>", "<pad>"))
    tokenizer = tiny.train_tokenizer(["assistant: user: system: 1234567890"], kind)
    messages = [{"role": "user", "content": "3 plus 4"}, {"role": "assistant", "content": "7"}]
    _, tally = encode(tokenizer, [Conversation("here", tuple(messages))], 10_000)
    assert tally.unclosed == 1
    assert trained(tokenizer, messages) == ["assistant: 7"]


def test_cuts_are_counted_and_what_nothing_is_left_of_is_dropped() -> None:
    tokenizer = tokenizer_with("qwen2_5")
    whole = [Conversation(str(number), tuple(messages)) for number, messages in enumerate(sums(9))]
    rows, tally = encode(tokenizer, whole, 10_000)
    lengths = [len(row["input_ids"]) for row in rows]
    assert (tally.truncated, tally.dropped, tally.used, tally.longest) == (0, 0, 9, max(lengths))
    assert tally.tokens == sum(lengths)
    assert tally.trained_tokens == sum(label != IGNORED for row in rows for label in row["labels"])

    cap = sorted(lengths)[4]
    cut_rows, cut = encode(tokenizer, whole, cap)
    assert cut.truncated == sum(length > cap for length in lengths) > 0
    assert max(len(row["input_ids"]) for row in cut_rows) == cap
    assert cut.longest == max(lengths)

    none, gone = encode(tokenizer, whole, 5)
    assert (none, gone.dropped, gone.used, gone.read) == ([], 9, 0, 9)


def test_a_template_that_hides_its_answers_is_refused() -> None:
    def shouting(messages: Any, prompt: bool) -> str:
        return "".join(message["content"].upper() for message in messages) + f"{len(messages[-1]['content'])}"

    with pytest.raises(ValueError, match=r"messages\[1\]"):
        answers(shouting, [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])


def test_what_the_template_refuses_is_refused_with_its_place() -> None:
    tokenizer = tokenizer_with("gemma3")
    twice = [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}, {"role": "assistant", "content": "c"}]
    with pytest.raises(RefusedError, match=r"data.jsonl:3: .*alternate"):
        encode(tokenizer, [Conversation("data.jsonl:3", tuple(twice))], 100)


def test_a_tokenizer_without_a_template_is_refused() -> None:
    tokenizer = tokenizer_with("llama3")
    tokenizer.chat_template = None
    with pytest.raises(RefusedError, match="no chat template"):
        template_of(tokenizer)


def test_every_bad_line_is_named_at_once(tmp_path: Path) -> None:
    good = {"messages": sums(1)[0]}
    bad = [
        "{",
        "[]",
        json.dumps({"messages": []}),
        json.dumps({"messages": [{"role": "bot", "content": "x"}]}),
        json.dumps({"messages": [{"role": "user", "content": ["x"]}]}),
        json.dumps({"messages": [{"role": "assistant", "content": "x", "tool_calls": []}]}),
        json.dumps({"messages": [{"role": "user", "content": "x"}]}),
    ]
    (tmp_path / "a.jsonl").write_text("\n".join([json.dumps(good), *bad, "", json.dumps(good)]))
    with pytest.raises(RefusedError) as caught:
        read_conversations(tmp_path)
    places = [problem.partition(": ")[0] for problem in caught.value.problems]
    assert places == [f"{tmp_path.name}/a.jsonl:{number}" for number in range(2, 9)]


def test_folders_without_data_are_refused_and_files_are_read_in_order(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"holds no file that ends in \.jsonl, "):
        read_conversations(tmp_path / "none")
    first, second = sums(2)
    (tmp_path / "b.jsonl").write_text(json.dumps({"messages": second}))
    (tmp_path / "a.jsonl").write_text(json.dumps({"messages": first}))
    assert [found.messages for found in read_conversations(tmp_path)] == [tuple(first), tuple(second)]


@pytest.mark.parametrize("compress", [bytes, gzip.compress, lambda text: gzip.compress(text) * 2 + bytes(512)])
@pytest.mark.parametrize("lines", [1, 5_000])
def test_the_digest_is_of_all_bytes_that_were_read(
    tmp_path: Path, compress: Callable[[bytes], bytes], lines: int
) -> None:
    line = json.dumps({"messages": [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}]}).encode()
    content = compress((line + b"\n\n") * lines)
    (tmp_path / "below").mkdir()
    (tmp_path / "below/a.jsonl").write_bytes(content)
    read: dict[str, str] = {}
    assert read_conversations(tmp_path, read)
    assert read == {"below/a.jsonl": f"{len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()[:16]}"}


@pytest.mark.parametrize("name", ["train", "validation"])
def test_data_that_are_replaced_after_they_were_read_are_not_signed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    import train

    bench.write({"MODEL_ID": "m", "METHOD": "lora"}, sums(2), sums(2, seed=1))
    path = bench.folder / name / "data.jsonl"
    before, original = path.read_bytes(), train.read_conversations
    begun: list[Any] = []

    def reading(*arguments: Any) -> Any:
        found = original(*arguments)
        path.write_bytes(before.replace(b"plus", b"less") if arguments[0] == path.parent else path.read_bytes())
        return found

    monkeypatch.setattr(train, "read_conversations", reading)
    monkeypatch.setattr("job.run", lambda *arguments: begun.append(arguments[4]) or 0)
    assert train.main(bench.arguments) == 0
    assert path.read_bytes() != before
    said = {key: value for part in begun[0].values() for key, value in part.items() if key.endswith(" data.jsonl")}
    data = {"train": "training data data.jsonl", "validation": "validation data data.jsonl"}[name]
    assert said[data] == f"{len(before)} bytes, SHA-256 {hashlib.sha256(before).hexdigest()[:16]}"


def test_a_channel_is_read_forward_once_and_nothing_is_written_there(tmp_path: Path, monkeypatch: Any) -> None:
    """What SageMaker streams (FastFile) is a folder of S3: a seek asks it again, and a write is refused."""
    folder, opened = tmp_path / "train", []
    folder.mkdir()
    conversation = {"messages": sums(1)[0]}
    (folder / "a.jsonl").write_text(json.dumps(conversation) + "\n")
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(json.dumps(conversation).encode()))
    folder.chmod(0o555)

    class Streamed(io.FileIO):
        def __init__(self, path: Any, mode: str) -> None:
            opened.append((Path(path).name, mode))
            super().__init__(path, mode)

        def seek(self, *_: Any) -> int:
            raise OSError("a stream is read forward")

        def fileno(self) -> int:
            raise OSError("a stream is not mapped into memory")

    def streamed(path: Any, mode: str, buffering: int) -> Streamed:
        assert buffering == 0
        return Streamed(path, mode)

    monkeypatch.setattr(lines, "open", streamed, raising=False)
    digests: dict[str, str] = {}
    assert len(read_conversations(folder, digests)) == 2
    assert opened == [("a.jsonl", "rb"), ("b.jsonl.gz", "rb")]
    assert set(digests) == {"a.jsonl", "b.jsonl.gz"}
    assert sorted(path.name for path in folder.iterdir()) == ["a.jsonl", "b.jsonl.gz"]
