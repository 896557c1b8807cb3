"""Files to lines: compression, folders, standard input, and what is refused before it fills memory."""

from __future__ import annotations

import gzip
import io
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard
from made_data import chat, written

from hbspec.dataset.broken import FileRefusedError
from hbspec.dataset.files import DataFile, data_files, read_lines
from hbspec.dataset.lines import FREE_BYTES, MAX_LINE_BYTES, MAX_RATIO

LINES = [f"{chat('u', str(number))}\n".encode() for number in range(2000)]
PLAIN = b"".join(LINES)
FORMS = {
    "plain": PLAIN,
    "gzip": gzip.compress(PLAIN),
    "two gzip members": gzip.compress(PLAIN[:999]) + gzip.compress(PLAIN[999:]),
    "zstd": zstandard.ZstdCompressor().compress(PLAIN),
    "two zstd frames": zstandard.ZstdCompressor().compress(PLAIN[:999])
    + zstandard.ZstdCompressor(write_checksum=True).compress(PLAIN[999:]),
}


def read_on(file):
    """The lines before a refusal, and what it says."""
    read = []
    try:
        for text in read_lines(file):
            read.append(text)
    except FileRefusedError as reason:
        return read, str(reason)
    return read, None


def put(path, content):
    path.write_bytes(content)
    return DataFile(str(path), len(content))


@pytest.fixture
def standard_input(monkeypatch):
    def give(content):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
        return DataFile("-", None)

    return give


@pytest.mark.parametrize("form", FORMS)
def test_compression_is_told_from_the_content(tmp_path, standard_input, form):
    assert list(read_lines(put(tmp_path / "any.name", FORMS[form]))) == LINES
    assert list(read_lines(standard_input(FORMS[form]))) == LINES


@pytest.mark.parametrize("form", FORMS)
def test_the_watch_is_told_of_every_byte_on_disk(tmp_path, form):
    told = []
    file = put(tmp_path / "data.jsonl", FORMS[form])
    assert len(list(read_lines(file, told.append))) == len(LINES)
    assert sum(told) == file.size


def test_a_pipe_may_give_a_byte_at_a_time(tmp_path):
    read, write = os.pipe()
    if not os.fork():
        for byte in FORMS["gzip"][:20]:
            os.write(write, bytes([byte]))
        os.write(write, FORMS["gzip"][20:])
        os._exit(0)
    os.close(write)
    assert list(read_lines(DataFile(f"/dev/fd/{read}", 0))) == LINES
    os.close(read)


@pytest.mark.parametrize("form", [form for form in FORMS if form != "plain"])
@pytest.mark.parametrize("end", [-1, -9, len(PLAIN) // 100])
def test_what_is_cut_short_is_read_as_far_as_it_goes(tmp_path, form, end):
    read, said = read_on(put(tmp_path / "data.jsonl", FORMS[form][:end]))
    assert said.startswith("cannot be decompressed any further (")
    assert read == LINES[: len(read)]


@pytest.mark.parametrize("form", ["gzip", "zstd"])
def test_what_is_damaged(tmp_path, form):
    content = bytearray(FORMS[form])
    content[len(content) // 2] ^= 255
    with pytest.raises(FileRefusedError, match="cannot be decompressed"):
        list(read_lines(put(tmp_path / "data.jsonl", bytes(content) + b"garbage")))


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (b"PAR1", "Parquet"),
        (b"ARROW1", "Arrow"),
        (b"PK\x03\x04", "zip archive"),
        (b"BZh9", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        ('{"messages"'.encode("utf-16"), "UTF-16"),
        ('{"messages"'.encode("utf-16-le"), "not text"),
        (bytes(100), "not text"),
    ],
)
def test_files_of_other_kinds_are_named(tmp_path, head, says):
    with pytest.raises(FileRefusedError, match=says):
        list(read_lines(put(tmp_path / "data.jsonl", head + PLAIN)))


def bombs():
    text = bytes(2**20)
    many = 3 * FREE_BYTES // len(text)
    squeezed = zstandard.ZstdCompressor().compressobj()
    return {
        "gzip": gzip.compress(b"\n" + text * many, 9),
        "zstd": b"".join([*(squeezed.compress(text) for _ in range(many)), squeezed.flush()]),
    }


@pytest.mark.one_in(2)
@pytest.mark.parametrize("form", ["gzip", "zstd"])
def test_what_decompresses_to_far_more_than_its_size_is_not_read_on(tmp_path, form):
    file = put(tmp_path / "bomb.jsonl", bombs()[form])
    assert file.size * MAX_RATIO < 3 * FREE_BYTES
    read, said = read_on(file)
    assert said.startswith("decompresses to more than 300 times its size")
    assert max(len(text or b"") for text in read) <= MAX_LINE_BYTES


def test_a_zstd_window_beyond_the_bound_is_refused(tmp_path):
    parameters = zstandard.ZstdCompressionParameters(window_log=28, compression_level=1)
    squeezed = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    content = squeezed.compress(PLAIN) + squeezed.flush()
    with pytest.raises(FileRefusedError, match="cannot be decompressed"):
        list(read_lines(put(tmp_path / "data.jsonl", content)))


def test_zstd_without_its_library(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(FileRefusedError, match="the package zstandard is not installed"):
        list(read_lines(put(tmp_path / "data.jsonl", FORMS["zstd"])))


def test_standard_input_that_is_closed(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(FileRefusedError, match="standard input is closed"):
        list(read_lines(DataFile("-", None)))


def test_a_folder_stands_for_its_data_by_name(tmp_path):
    data = ("b.jsonl", "a/c.jsonl.gz", "a.jsonl.zst")
    for name in (*data, "notes.txt", ".hidden.jsonl", "_SUCCESS.jsonl", ".git/d.jsonl", "_temporary/d.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = [file.name.removeprefix(f"{tmp_path}/") for file in data_files([str(tmp_path)])]
    assert found == ["a/c.jsonl.gz", "a.jsonl.zst", "b.jsonl"]


def test_a_folder_without_data_and_a_name_that_comes_twice(tmp_path):
    with pytest.raises(ValueError, match=r"holds no file that ends in \.jsonl"):
        data_files([str(tmp_path)])
    written(tmp_path / "data.jsonl", chat("u", "a"))
    with pytest.raises(ValueError, match="named twice"):
        data_files([str(tmp_path), str(tmp_path / "data.jsonl")])


def test_a_folder_that_cannot_be_looked_into_is_not_taken_for_empty(tmp_path, monkeypatch):
    """As root nothing is forbidden, so the system's answer is made up."""
    (tmp_path / "secret").mkdir()
    written(tmp_path / "data.jsonl", chat("u", "a"))

    def refusing(look):
        def refuse(path):
            if str(path).endswith("secret"):
                raise PermissionError(13, "Permission denied", str(path))
            return look(path)

        return refuse

    for name in ("listdir", "scandir"):  # Python 3.11 and later ones
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))
    with pytest.raises(PermissionError):
        data_files([str(tmp_path)])


def test_what_is_not_there_is_named_as_it_was_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError) as missing:
        data_files(["./nowhere.jsonl"])
    assert missing.value.filename == "./nowhere.jsonl"
    with pytest.raises(OSError) as unreadable:  # noqa: PT011 - the system words it
        list(read_lines(DataFile("/proc/self/mem", 0)))
    assert unreadable.value.filename == "/proc/self/mem"


def test_what_a_job_does_not_read_is_counted_and_named(tmp_path):
    for name in ("data.jsonl", "PART2.JSONL", "part3.txt", "_part4.jsonl", "part5.jsonl.1", "_SUCCESS", ".DS_Store"):
        (tmp_path / name).write_text("" if name == "_SUCCESS" else "x")
    first, *others = data_files([str(tmp_path)])
    assert [Path(file.name).name for file in (first, *others)] == ["PART2.JSONL", "data.jsonl"]
    folder, said = first.beside
    assert folder == str(tmp_path)
    assert said.startswith("holds 3 entries that the job does not read")
    assert said.endswith("'_part4.jsonl', 'part3.txt', 'part5.jsonl.1'")
    assert [file.beside for file in others] == [None]
