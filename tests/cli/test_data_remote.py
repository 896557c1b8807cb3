"""`hbspec data profile`, `check` and `convert` of files on S3: moto's server, and a socket that breaks off."""

from __future__ import annotations

import gzip
import io
import json
import re
import socket
from threading import Thread

import boto3
import pyarrow
import pyarrow.parquet
import pytest
from moto.server import ThreadedMotoServer

from .conversations import chat

LINES = "".join(f"{chat(f'question {number}', 'word ' * (number % 40))}\n" for number in range(1, 400)).encode()
ROWS = pyarrow.Table.from_pylist([json.loads(line) for line in LINES.splitlines()])


def parquet() -> bytes:
    written = io.BytesIO()
    pyarrow.parquet.write_table(ROWS, written, row_group_size=100)
    return written.getvalue()


FILES = {
    "train.jsonl": LINES,
    "train.parquet": parquet(),
    "sets/a.jsonl": LINES[: LINES.index(b"\n") + 1],
    "sets/more/b.json.gz": gzip.compress(b"[" + LINES.splitlines()[1] + b"]"),
    "sets/more/c.csv": b"prompt,completion\nq,a\n",
    "sets/notes.txt": b"x",
    "sets/_temporary/d.jsonl": LINES,
    "sets/_SUCCESS": b"",
    "sets/folder/": b"",
    "other/train.txt": LINES,
    "shards/train-00000-of-00002.jsonl": LINES,
    "nothing.jsonl": b"",
}


@pytest.fixture(scope="module")
def endpoint():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    names = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
    client = boto3.session.Session(**names).client("s3", endpoint_url=url)
    client.create_bucket(Bucket="data")
    for key, content in FILES.items():
        client.put_object(Bucket="data", Key=key, Body=content)
    yield url
    server.stop()
    server._server.server_close()


@pytest.fixture
def s3(hbspec, endpoint):
    """A shell whose commands find S3 at the server, and a local copy of the files."""
    for key, content in FILES.items():
        if not key.endswith("/"):
            path = hbspec.folder / "here" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return asking(hbspec, endpoint)


def asking(hbspec, endpoint, **more):
    settings = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_CONFIG_FILE": str(hbspec.folder / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(hbspec.folder / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }
    return lambda *words, **changed: hbspec("data", *words, **{**settings, **more, **changed})


@pytest.mark.parametrize("name", ["train.jsonl", "train.parquet", "sets/more/b.json.gz"])
def test_the_profile_is_that_of_the_local_file(s3, name):
    there, here = s3("profile", f"s3://data/{name}", "--part"), s3("profile", f"here/{name}", "--part")
    assert there == here
    assert there[0] == 0


def test_of_a_prefix_those_files_are_read_that_would_be_of_a_folder(s3):
    words = ("--weight", "more/=2")
    there, here = s3("profile", "s3://data/sets/", *words), s3("profile", "here/sets", *words)
    assert there[:2] == here[:2]
    assert json.loads(there[1])["examples"] == 3
    assert there[2].startswith(
        "note: s3://data/sets/ holds 2 entries that are not read as data: '_temporary/', 'notes.txt'\n"
    )
    assert "s3://data/sets/more/c.csv:2:1: error[HB050]" in there[2]


def test_check_names_a_file_by_its_url(s3):
    code, out, _ = s3("check", "s3://data/other/train.txt", "--validation", "s3://data/sets/a.jsonl")
    assert code == 1
    assert "s3://data/other/train.txt: error[HB051]" in out
    assert "s3://data/sets/a.jsonl:1:1: warning[HB056]" in out


def test_convert_writes_what_it_writes_of_the_local_file(s3, hbspec):
    for place, output in (("s3://data", "one.jsonl"), ("here", "two.jsonl")):
        code, _, err = s3("convert", f"{place}/train.parquet", "-o", output)
        assert (code, err) == (0, "")
    assert (hbspec.folder / "one.jsonl").read_bytes() == (hbspec.folder / "two.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://nobody/a.jsonl", "s3://nobody/a.jsonl: the bucket does not exist; correct its name"),
        ("s3://nobody/a/", "s3://nobody/a/: the bucket does not exist; correct its name"),
        ("s3://data/a.jsonl", "s3://data/a.jsonl: no object has this key; correct it, or end a prefix in /"),
        ("s3://data/empty/", "s3://data/empty/ holds no file that ends in .jsonl, .json, .csv (also with .gz or"),
        ("s3://data", "s3://data: does not name an object; write s3://BUCKET/KEY, or s3://BUCKET/PREFIX/"),
        ("s3://key:secret@data/a.jsonl", "s3://data/a.jsonl: credentials in a URL are not used; sign in, and"),
        ("s3://data/shards/", "a shard is missing: 's3://data/shards/train-00001-of-00002.jsonl'; give all of them"),
        ("s3://data/nothing.jsonl", "s3://data/nothing.jsonl: no examples found"),
    ],
)
def test_what_is_not_there_is_one_line(s3, url, said):
    code, out, err = s3("profile", url)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith(f"hbspec: {said}")


def test_without_credentials_one_line_says_so(hbspec, endpoint):
    there = asking(hbspec, endpoint, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    code, out, err = there("check", "s3://data/train.jsonl")
    assert (code, out) == (2, "")
    assert err == (
        "hbspec: s3://data/train.jsonl: GetObject: AWS credentials are missing; sign in, as with `aws sso login`\n"
    )


class Breaking:
    """An S3 whose objects have a length, and end before it."""

    def __init__(self):
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                asked, _ = self._listening.accept()
            except OSError:
                return
            with asked:
                piece = re.search(rb"(?i)\r\nrange: bytes=(\d+)-(\d+)", asked.recv(65536))
                size = int(piece[2]) + 1 - int(piece[1]) if piece else len(LINES)
                head = f'HTTP/1.1 206 OK\r\nContent-Length: {size}\r\nETag: "1"\r\nConnection: close\r\n\r\n'
                asked.sendall(head.encode() + LINES[: size // 2])

    def close(self):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()


@pytest.fixture
def breaking():
    server = Breaking()
    yield server
    server.close()


@pytest.mark.parametrize("name", ["train.jsonl", "train.parquet"])
def test_a_transfer_that_ends_early_leaves_nothing(hbspec, breaking, name):
    there = asking(hbspec, breaking.url)
    for words in (("profile", "-o", "p.json"), ("convert", "-o", "c.jsonl"), ("check",)):
        code, out, err = there(words[0], f"s3://data/{name}", *words[1:])
        assert (code, out) == (2, ""), err
        assert err.startswith(f"hbspec: s3://data/{name}: GetObject: "), err
        assert err.endswith("run the command again\n")
        assert err.count("\n") == 1
    assert sorted(path.name for path in hbspec.folder.iterdir()) == ["job.yaml"]


def test_a_missing_package_is_named_by_its_extra(hbspec, endpoint):
    hbspec.write("without/boto3.py", "raise ImportError")
    hbspec.write("without/huggingface_hub.py", "raise ImportError")
    there = asking(hbspec, endpoint, PYTHONPATH=str(hbspec.folder / "without"))
    for url in ("s3://data/train.jsonl", "hf://datasets/o/n/train.jsonl"):
        code, out, err = there("check", url)
        assert (code, out) == (2, "")
        assert err == f'hbspec: {url}: a package that reads it is not installed; run `pip install "hbspec[remote]"`\n'


def test_dask_profiles_it_in_other_processes(s3):
    words = ("s3://data/train.jsonl", "s3://data/train.parquet")
    there = s3("profile", *words, "--engine", "dask", DASK_SCHEDULER="processes", DASK_NUM_WORKERS="1")
    assert there == s3("profile", *words)
