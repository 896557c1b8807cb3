from __future__ import annotations

import os
import threading

import pytest
from made_logs import parsed, run_line, update_line

from hbspec.watching import NotALogError, file_chunks, lines_of, pipe_chunks
from hbspec.watching.lines import LONGEST, refuse_other_files, stamp


@pytest.mark.parametrize("chunk", [1, 2, 7, 64, 1 << 20])
def test_lines_are_the_same_however_they_come(chunk):
    text = "one\r\n\ntwo\rthree\nfour"
    assert [(line.text, line.whole) for line in parsed(text, chunk)] == [
        (b"one", True),
        (b"two", True),
        (b"three", True),
        (b"four", False),
    ]


@pytest.mark.parametrize("chunk", [1000, 1 << 16, 1 << 26])
def test_a_line_of_ten_megabytes_is_shortened_and_the_next_one_is_read(chunk):
    first, second = parsed(b"x" * 10_000_000 + b"\nafter\n", chunk)
    assert (len(first.text), first.whole) == (LONGEST, False)
    assert second == (b"after", None, True)


def test_a_pause_is_passed_on():
    assert list(lines_of([b"a\n", None, b"b\n"]))[1] is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (b"2026-12-01T10:00:00Z algo-1 x", 1796119200.0),
        (b"2026-12-01T10:00:00.250000+00:00 algo-1 x", 1796119200.25),
        (b"2026-12-01 12:00:00,500+02:00 x", 1796119200.5),
        (b"2026-12-01T10:00:00 x", 1796119200.0),
        (b"2026-13-41T10:00:00 x", None),
        (b"2026 updates", None),
    ],
)
def test_the_time_of_a_line(text, seconds):
    assert stamp(text) == seconds


@pytest.mark.parametrize(
    ("beginning", "said"),
    [
        (b"\x1f\x8b\x08", "is packed (gzip)"),
        (b"PK\x03\x04", "is packed (zip)"),
        ("hbspec".encode("utf-16"), "is UTF-16"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "is not a text"),
    ],
)
def test_other_files_are_refused(beginning, said):
    with pytest.raises(NotALogError) as reason:
        refuse_other_files(beginning)
    assert str(reason.value).startswith(said)


def test_a_file_that_grows_is_followed_and_one_that_is_written_anew_is_read_again(tmp_path):
    path = tmp_path / "job.log"
    path.write_text(f"{run_line()}\n{update_line(1)}\n")
    chunks = file_chunks(path, follow=True)
    assert next(chunks).count(b"\n") == 2
    assert next(chunks) is None
    with path.open("a") as stream:
        stream.write(f"{update_line(2)}\n")
    assert b"step=2" in next(chunks)
    path.write_text("anew\n")
    assert [next(chunks), next(chunks)] == [None, b"anew\n"]


def test_a_pipe_is_read_to_its_end_and_pauses_are_told():
    reader, writer = os.pipe()
    chunks = pipe_chunks(reader)
    assert next(chunks) is None
    writing = threading.Thread(target=lambda: (os.write(writer, b"a\n"), os.close(writer)))
    writing.start()
    assert [chunk for chunk in chunks if chunk] == [b"a\n"]
    writing.join()
    os.close(reader)
