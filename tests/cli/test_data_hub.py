"""`hbspec data` of files on the Hugging Face Hub: huggingface_hub's file system against a server of this test's."""

from __future__ import annotations

import io
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote

import pyarrow
import pyarrow.parquet
import pytest

from .conversations import chat

LINES = "".join(f"{chat(f'question {number}', 'word ' * (number % 40))}\n" for number in range(1, 100)).encode()
ROWS = io.BytesIO()
pyarrow.parquet.write_table(pyarrow.Table.from_pylist([json.loads(line) for line in LINES.splitlines()]), ROWS)
FILES = {
    "a.jsonl": LINES,
    "rows.parquet": ROWS.getvalue(),
    "more/b.jsonl": LINES[: LINES.index(b"\n") + 1],
    "README.md": b"x",
    ".gitattributes": b"x",
}
COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORIES = ("ORG/data", "ORG/gated", "ORG/cut")
REVISIONS = ("main", "v1", COMMIT)


class Hub(BaseHTTPRequestHandler):
    """The few questions that are asked of the Hub, for a dataset, a gated one, and one that breaks off."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        asked = re.match(r"/api/datasets/(ORG/\w+)(?:/(?:tree|revision)/([^/?]+))?/?([^?]*)", self.path)
        if self.path.startswith("/datasets/"):
            self._file()
        elif not asked or asked[1] not in REPOSITORIES:
            self._refuse(404, "RepoNotFound")
        elif asked[2] and asked[2] not in REVISIONS:
            self._refuse(404, "RevisionNotFound")
        elif "/tree/" in self.path:
            self._tree(f"{asked[3]}/".lstrip("/"), "recursive=true" in self.path.lower())
        else:
            self._json({"id": asked[1], "sha": COMMIT, "siblings": []})

    def _tree(self, below, recursive):
        inside = [path for path in FILES if path.startswith(below)]
        files = [path for path in inside if recursive or "/" not in path.removeprefix(below)]
        folders = {path.rpartition("/")[0] for path in inside if path not in files}
        found = [{"type": "file", "oid": "0", "size": len(FILES[path]), "path": path} for path in files]
        self._json([*found, *({"type": "directory", "oid": "0", "path": path} for path in folders)])

    def _file(self):
        name, path = re.match(r"/datasets/(ORG/\w+)/resolve/[^/]+/(.*)", self.path).groups()
        if name == "ORG/gated":
            return self._refuse(403, "GatedRepo")
        content = FILES[unquote(path)]
        piece = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if piece:
            content = content[int(piece[1]) : int(piece[2] or len(content)) + 1]
        self.send_response(206 if piece else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content if name != "ORG/cut" else content[: len(content) // 2])
        self.close_connection = name == "ORG/cut"
        return None

    def _json(self, answer):
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _refuse(self, status, code):
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture(scope="module")
def endpoint():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def hub(hbspec, endpoint):
    """A shell whose commands find the Hub at the server, and a local copy of the files."""
    for name, content in FILES.items():
        path = hbspec.folder / "here" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    settings = {"HF_ENDPOINT": endpoint, "HF_HOME": str(hbspec.folder / "home"), "NO_PROXY": "127.0.0.1"}
    return lambda *words, **more: hbspec("data", *words, **{**settings, **more})


@pytest.mark.parametrize(("revision", "name"), [("", "a.jsonl"), ("@v1", "rows.parquet"), (f"@{COMMIT}", "a.jsonl")])
def test_the_profile_is_that_of_the_local_file(hub, revision, name):
    there, here = hub("profile", f"hf://datasets/ORG/data{revision}/{name}"), hub("profile", f"here/{name}")
    assert there == here
    assert there[0] == 0


def test_a_folder_is_read_as_one_on_the_disk(hub):
    there, here = hub("profile", "hf://datasets/ORG/data@v1/"), hub("profile", "here")
    assert there[:2] == here[:2]
    assert there[2] == "note: hf://datasets/ORG/data@v1/ holds 1 entry that is not read as data: 'README.md'\n"
    code, out, _ = hub("check", "hf://datasets/ORG/data/more/", "--validation", "hf://datasets/ORG/data/a.jsonl")
    assert code == 0
    assert "hf://datasets/ORG/data/a.jsonl:1:1: warning[HB056]" in out


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("datasets/ORG/none/a.jsonl", "the repository does not exist, or is private; correct its name, or sign in"),
        ("datasets/ORG/data@v2/a.jsonl", "the revision does not exist; correct what follows @"),
        ("datasets/ORG/data/b.jsonl", "no such file; correct the path, or end a folder in /"),
        ("datasets/ORG/data/more", "is a folder; end it in / to read all of its data files"),
        ("datasets/ORG/gated/a.jsonl", "access is gated; accept the terms on its page, and sign in with `hf auth"),
        ("datasets/ORG/cut/a.jsonl", "the transfer ended early; run the command again"),
        ("data", "does not name a file on the Hub; write hf://datasets/ORG/NAME/FILE"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_nothing_is_written(hub, hbspec, path, said):
    code, out, err = hub("convert", f"hf://{path}", "-o", "out.jsonl")
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith(f"hbspec: hf://{path}: {said}")
    assert not list(hbspec.folder.glob("*out.jsonl*"))


def test_a_hub_that_is_not_there_is_said_to_be_so(hub):
    code, out, err = hub("check", "hf://datasets/ORG/data/a.jsonl", HF_ENDPOINT="http://127.0.0.1:9")
    assert (code, out) == (2, "")
    assert err.startswith("hbspec: hf://datasets/ORG/data/a.jsonl: the Hub cannot be reached; check the network, and")


def test_offline_is_said_to_be_so(hub):
    code, out, err = hub("check", "hf://datasets/ORG/data/a.jsonl", HF_HUB_OFFLINE="1")
    assert (code, out) == (2, "")
    assert err == (
        "hbspec: hf://datasets/ORG/data/a.jsonl: HF_HUB_OFFLINE keeps huggingface_hub off the network; unset it\n"
    )
