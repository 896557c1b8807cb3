"""The page on data: its program runs on a real engine, and makes the very profile that the command makes."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys

import pytest
from documentation import DOCS, ROOT, blocks

REAL = ROOT.parent / "shared" / "data" / "heartbeat" / "train.jsonl"


def made(examples):
    """Conversations of many lengths, some of them twice, with broken lines between, and more than one block long."""
    for number in range(examples):
        text = f"answer {number % 1700} " * (1 + number % 60)
        messages = [{"role": "user", "content": f"qué {number % 40}"}, {"role": "assistant", "content": text}]
        yield json.dumps({"messages": messages}, ensure_ascii=False).encode() + b"\n"
    yield from (b"\n", b"{\n", b'{"messages": "\xff"}\n', b"[]")


def put(folder):
    folder.mkdir()
    lines = list(made(4000))
    (folder / "a.jsonl").write_bytes(b"".join(lines[:3000]))
    (folder / "b.jsonl").write_bytes(b"".join(lines[3000:]))
    if REAL.is_file():
        (folder / "c.jsonl").write_bytes(REAL.read_bytes())


def hbspec(folder, *words):
    command = [sys.executable, "-m", "hbspec", "data", "profile", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).stdout


@pytest.fixture
def program():
    (found,) = blocks(DOCS / "data.md", "python")
    return found


def test_dask_makes_the_same_profile_byte_for_byte(tmp_path, program):
    put(tmp_path / "data")
    assert (tmp_path / "data" / "a.jsonl").stat().st_size > 2**20
    (tmp_path / "job.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "job.py"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stderr
    whole = hbspec(tmp_path, "data")
    assert (tmp_path / "train.profile.json").read_bytes() == whole
    assert json.loads(whole)["examples"] == 4000 + (1758 if REAL.is_file() else 0)
    assert json.loads(whole)["broken_lines"] == 3


def test_each_worker_may_read_compressed_files(tmp_path, program):
    """Without blocks a file is a part, which is how gzip has to be read."""
    (tmp_path / "data").mkdir()
    for number, content in enumerate((b"".join(made(30)), b"".join(made(50)))):
        (tmp_path / "data" / f"{number}.jsonl.gz").write_bytes(gzip.compress(content))
    changed = program.replace("*.jsonl", "*.jsonl.gz").replace('blocksize="1 MiB", ', "")
    assert changed.count("gz") == 1
    (tmp_path / "job.py").write_text(changed, encoding="utf-8")
    subprocess.run([sys.executable, "job.py"], cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / "train.profile.json").read_bytes() == hbspec(tmp_path, "data")


def test_the_page_names_every_key_of_a_profile(tmp_path):
    (tmp_path / "data.jsonl").write_bytes(b"".join(made(3)))
    document = json.loads(hbspec(tmp_path, "data.jsonl", "--part"))
    page = (DOCS / "data.md").read_text(encoding="utf-8")
    assert [key for key in document if f"\n| `{key}` | " not in page] == []
