"""`hbspec data check` and the job read the same files alike: what one refuses the other refuses, and where."""

from __future__ import annotations

import gzip
import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import zstandard
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from read_twice import TEMPLATES, checked, put, trained

from hbspec.dataset import check_data, data_files
from hbspec.dataset.folders import unread, unread_files
from hbspec.diagnostics import Severity

sys.path.insert(0, str(TEMPLATES))

from conversations import SHOWN_PROBLEMS, read_conversations
from settings import Folders, RefusedError

GOOD = '{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a\u2028\u00e9"}]}'
USER = GOOD.partition("[")[2].partition(",")[0]


def deep(levels: int) -> str:
    return GOOD.replace('{"m', '{"x": ' + "[" * levels + "]" * levels + ', "m')


LINES = {
    "conversation": GOOD,
    "byte-order mark": f"\ufeff{GOOD}",
    "two marks": f"\ufeff\ufeff{GOOD}",
    "mark alone": "\ufeff",
    "blank": " \t",
    "form feed": "\f",
    "escaped": GOOD.replace("q", "\\u00e9\\n"),
    "half a pair": GOOD.replace("q", "\\ud800"),
    "half a pair in a key": GOOD.replace('"content": "q"', '"content": "q", "\\ud800": 1'),
    "name": GOOD.replace('"role": "user"', '"role": "user", "name": "x"'),
    "tool calls": GOOD.replace('"role": "assistant"', '"role": "assistant", "tool_calls": []'),
    "beside the messages": GOOD.replace('{"m', '{"id": 3, "score": NaN, "m'),
    "keys twice": GOOD.replace('{"m', '{"messages": [], "m').replace('"q"', '1, "content": "q"'),
    "infinity": GOOD.replace('"q"', "-Infinity"),
    "large number": GOOD.replace('{"m', '{"n": ' + "9" * 5000 + ', "m'),
    "as deep as is read": deep(99),
    "deeper": deep(100),
    "far deeper": deep(5000),
    "empty texts": GOOD.replace("q", "").replace("a\u2028\u00e9", " "),
    "no text": GOOD.replace('"q"', "null"),
    "parts": GOOD.replace('"q"', '[{"type": "text", "text": "q"}]'),
    "another role": GOOD.replace('"user"', '"human"'),
    "no role": GOOD.replace('"role": "user", ', ""),
    "no answer": f'{{"messages": [{USER}]}}',
    "tool first": GOOD.replace('"user"', '"tool"'),
    "no messages": '{"messages": []}',
    "a list": f"[{GOOD}]",
    "prompt and answer": '{"prompt": "q", "completion": "a"}',
    "two values": f"{GOOD} {GOOD}",
    "cut": GOOD[:40],
    "comment": f"// {GOOD}",
    "null bytes": f"{GOOD}\0",
}
USABLE = ("conversation", "byte-order mark", "blank", "form feed", "escaped", "beside the messages", "empty texts")
ENDS = ("\n", "\r\n", "\n\n")
OTHER_ENDS = ("\r", "\u2028", "")
NAMES = (
    "data.jsonl", "a.jsonl.gz", "b.jsonl.zst", "below/data.jsonl", "below/UPPER.JSONL", "data.json", "data.txt",
    "data.profile.json", ".hidden.jsonl", "_left.jsonl", ".cache/data.jsonl", "_temporary/data.jsonl", "data.part",
)  # fmt: skip


@st.composite
def plain(draw: st.DrawFn) -> bytes:
    """Lines, and sometimes bytes that are no text among them."""
    usable = draw(st.sampled_from((True, True, False)))
    drawn = draw(st.lists(st.sampled_from(USABLE if usable else sorted(LINES)), max_size=5))
    ends = st.sampled_from(ENDS if usable else ENDS + OTHER_ENDS)
    text = "".join(LINES[name] + draw(ends) for name in drawn)
    content = text.encode("utf-8", "surrogatepass")
    if draw(st.booleans()):
        content = content.rstrip(b"\r\n")
    if usable:
        return content
    if draw(st.integers(0, 3)) == 0:
        place = draw(st.integers(0, len(content)))
        content = content[:place] + draw(st.binary(max_size=4)) + content[place:]
    return content if draw(st.integers(0, 4)) else text.encode("utf-16")


@st.composite
def packed(draw: st.DrawFn) -> bytes:
    """The same, compressed in one or two pieces, sometimes cut or damaged."""
    content = draw(plain())
    compress = draw(st.sampled_from((bytes, gzip.compress, zstandard.ZstdCompressor(write_checksum=True).compress)))
    middle = draw(st.integers(0, len(content)))
    found = draw(st.sampled_from((compress(content), compress(content[:middle]) + compress(content[middle:]))))
    match draw(st.sampled_from(("whole",) * 9 + ("cut", "longer", "changed"))):
        case "cut":
            return found[: draw(st.integers(0, len(found)))]
        case "longer":
            return found + draw(st.binary(max_size=4))
        case "changed" if found:
            place = draw(st.integers(0, len(found) - 1))
            return found[:place] + draw(st.binary(max_size=2)) + found[place + 1 :]
        case _:
            return found


FOLDERS = st.dictionaries(st.sampled_from(NAMES) | st.just("data.jsonl"), packed(), max_size=3)


@examples(400)
@given(FOLDERS, st.none() | FOLDERS)
def test_the_check_and_the_job_say_the_same_of_any_files(
    files: dict[str, bytes], linked: dict[str, bytes] | None
) -> None:
    with TemporaryDirectory() as name:
        channel = put(Path(name), files, linked)
        assert trained(channel) == checked(channel)


@examples(100)
@given(st.sets(st.sampled_from((*NAMES, "PART2.JSONL", "part5.jsonl.1", "_SUCCESS", ".DS_Store", "\x1b[1m.json"))))
def test_every_file_is_read_or_named_by_both(names: set[str]) -> None:
    with TemporaryDirectory() as name:
        channel = put(Path(name), {**dict.fromkeys(names, GOOD.encode()), "a.jsonl": GOOD.encode(), "_EMPTY": b""})
        files = data_files([str(channel)])
        named = unread_files(channel)
        tallies = [tally for tally in check_data(files).splits[0].tallies if tally.defect.code == "HB061"]
        assert [tally.what for tally in tallies] == ([f"the folder {unread(channel)}"] if named else [])
    read = {str(Path(file.name).relative_to(channel)) for file in files}
    named = {"_temporary/data.jsonl" if entry == "_temporary/" else entry for entry in named}
    assert read | named | {".DS_Store", ".cache/data.jsonl", "_EMPTY"} >= names
    assert not read & named
    assert not named & {".DS_Store", ".cache/data.jsonl", "_EMPTY"}


def test_the_job_s_log_names_what_is_not_read_once(tmp_path, monkeypatch, capsys) -> None:
    import train

    channel = put(tmp_path, {"a.jsonl": GOOD.encode(), "part3.txt": GOOD.encode()})
    folders = Folders(train_dir=channel, validation_dir=tmp_path / "nowhere")
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        monkeypatch.setenv("LOCAL_RANK", rank)
        train._say_unread(folders)
    assert capsys.readouterr().out == f"hbspec: note {channel} {unread(channel)}\n"


def test_what_lies_behind_a_link_to_a_folder_is_read(tmp_path: Path) -> None:
    channel = put(tmp_path, {"a.jsonl": GOOD.encode()}, {"b.jsonl": GOOD.encode(), "below/c.jsonl": GOOD.encode()})
    (channel / "again").symlink_to(tmp_path / "real/train/below")
    (channel / ".cache").symlink_to(tmp_path / "real")
    assert trained(channel) == checked(channel)
    assert len(trained(channel)[1]) == 4


@pytest.mark.parametrize("target", [".", "..", "linked/back", "nowhere"])
def test_a_link_that_leads_in_a_circle_or_nowhere_is_refused_by_its_name(tmp_path: Path, target: str) -> None:
    channel = put(tmp_path, {"a.jsonl": GOOD.encode()}, {"b.jsonl": GOOD.encode()})
    (tmp_path / "real/train/back").symlink_to(channel)
    link = channel / ("linked/back" if target == "linked/back" else "link")
    if target != "linked/back":
        (tmp_path / "real/train/back").unlink()
        link.symlink_to(target)
    with pytest.raises(RefusedError, match="train/link"):
        read_conversations(channel)
    with pytest.raises(OSError, match="train/link"):
        data_files([str(channel)])


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("form", ["plain", "gzip", "zstd"])
def test_they_say_the_same_of_every_kind_of_line(name: str, form: str, tmp_path: Path) -> None:
    content = f"{GOOD}\n{LINES[name]}\n".encode("utf-8", "surrogatepass")
    compress = {"plain": bytes, "gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}[form]
    channel = put(tmp_path, {"data.jsonl": compress(content)})
    assert trained(channel) == checked(channel)


def test_a_line_that_is_too_long(tmp_path: Path) -> None:
    content = (GOOD.replace("q", "x" * 2**24) + f"\n{GOOD}\n").encode()
    channel = put(tmp_path, {"data.jsonl": content})
    assert trained(channel) == checked(channel) == ({"train/data.jsonl:1"}, [])


def test_many_mistakes_are_counted_beyond_the_first_ones(tmp_path: Path) -> None:
    channel = put(tmp_path, {"data.jsonl": b"{\n" * (SHOWN_PROBLEMS + 30)})
    with pytest.raises(RefusedError) as refused:
        read_conversations(channel)
    assert len(refused.value.problems) == SHOWN_PROBLEMS + 1
    assert refused.value.problems[-1] == "and 30 more"


def test_what_cannot_be_opened_is_refused_by_its_name(tmp_path: Path) -> None:
    channel = put(tmp_path, {"a.jsonl": GOOD.encode()})
    (channel / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    with pytest.raises(RefusedError, match=r"train/gone\.jsonl: No such file"):
        read_conversations(channel)
    with pytest.raises(FileNotFoundError):
        data_files([str(channel)])


def test_a_file_whose_name_a_job_passes_over_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "train.json.bak"
    path.write_text(GOOD)
    (tally,) = check_data(data_files([str(path)])).splits[0].tallies
    assert (tally.defect.code, tally.severity) == ("HB051", Severity.ERROR)
    assert "its name does not end in .jsonl" in tally.what
    with pytest.raises(RefusedError, match="holds no file that ends in"):
        read_conversations(tmp_path)


def test_the_script_refuses_both_splits_at_once_before_torch_is_imported(tmp_path: Path) -> None:
    put(tmp_path, {"a.jsonl": f"{GOOD}\n{{\n".encode(), "b.jsonl.gz": gzip.compress(GOOD.encode())[:-3]})
    (tmp_path / "validation").mkdir()
    (tmp_path / "validation" / "a.jsonl").write_text(LINES["no answer"])
    settings = {"MODEL_ID": "m", "METHOD": "lora"}
    (tmp_path / "hyperparameters.json").write_text(json.dumps(settings))
    words = [f"--{name}-dir={tmp_path / name}" for name in ("train", "validation")]
    program = "import sys, train; code = train.main(sys.argv[1:]); print('torch' in sys.modules); sys.exit(code)"
    command = [sys.executable, "-c", program, f"--config-dir={tmp_path}", *words]
    done = subprocess.run(command, cwd=TEMPLATES, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (2, "False\n")
    assert [problem.split(": ")[1] for problem in done.stderr.splitlines()] == [
        "train/a.jsonl:2",
        "train/b.jsonl.gz",
        "validation/a.jsonl:1",
    ]


@contextmanager
def special(path: Path, kind: str) -> Iterator[None]:
    """Something at this path that is neither a file nor a folder."""
    if kind == "named pipe":
        os.mkfifo(path)
        yield
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener, chdir(path.parent):  # the name of a socket must be short
            listener.bind(path.name)
            yield
    else:
        path.symlink_to("/dev/zero")
        yield


@pytest.mark.parametrize("kind", ["named pipe", "socket", "device"])
def test_what_is_not_a_regular_file_is_refused_by_its_name_and_never_opened(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = put(tmp_path, {"a.jsonl": GOOD.encode()})
    path = channel / "b.jsonl"
    open_as_ever = io.open

    def refusing(file: Any, *rest: Any, **named: Any) -> Any:
        assert str(file) != str(path)
        return open_as_ever(file, *rest, **named)

    monkeypatch.setattr("builtins.open", refusing)
    monkeypatch.setattr(io, "open", refusing)  # pathlib's
    with special(path, kind):
        assert trained(channel) == checked(channel) == ({"train/b.jsonl:0"}, [])
        with pytest.raises(RefusedError, match=rf"train/b\.jsonl: the file is a {kind}, not a regular file"):
            read_conversations(channel)
        (tally,) = check_data(data_files([str(path)])).splits[0].tallies
    assert (tally.what, tally.severity) == (f"the file is a {kind}, not a regular file", Severity.ERROR)


def test_a_command_that_stands_for_a_file_is_read(tmp_path: Path) -> None:
    """`data check <(zcat a.gz)`: the shell gives the name of a pipe that is already open."""
    reading, writing = os.pipe()
    os.write(writing, f"{GOOD}\n".encode())
    os.close(writing)
    (split,) = check_data(data_files([f"/dev/fd/{reading}"])).splits
    os.close(reading)
    assert (split.examples, split.broken) == (1, 0)
