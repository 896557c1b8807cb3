"""An `aws` for the compiled scripts: the part of the AWS CLI that they use, answered by boto3 in the test's process.

What counts here was seen of the real AWS CLI 1.46.3: arguments beat `--cli-input-json`, which is a JSON text or the
`file://` of one; lists in `--output text` are lines and tabs, null is None; what the service refuses goes to standard
error, with exit code 255 (AWS CLI 2: 254).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

import jmespath
from botocore import xform_name
from botocore.exceptions import ClientError, WaiterError
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto_strict import HOST, Server

Client = Callable[[str], Any]
REFUSED = 255
SHIM = """#!/bin/bash
exec 3<> "/dev/tcp/{host}/{port}"
printf '%s\\0' "$#" "$PWD" "$@" >&3
for part in out err code; do IFS= read -r -d '' "$part" <&3; done
printf %s "$out"
printf %s "$err" >&2
exit "$code"
"""
"""Bash, which starts in a fraction of the time of Python: the scripts call it a thousand times. Every word ends with a
byte of 0, here and in the answer."""


@contextmanager
def aws_double(server: Server, folder: Path) -> Iterator[Path]:
    """A folder that holds a program `aws`, which talks to a server."""

    class Answer(StreamRequestHandler):
        def handle(self) -> None:
            place, *words = [self._word() for _ in range(1 + int(self._word()))]
            code, out, err = _answer(server.region, server.client, Path(place), words)
            self.wfile.write(f"{out}\0{err}\0{code}\0".encode())

        def _word(self) -> str:
            """The next one that is sent."""
            return b"".join(iter(lambda: self.rfile.read(1), b"\0")).decode()

    with ThreadingTCPServer((HOST, 0), Answer) as double:
        # it ends within its poll, which every test waits for
        threading.Thread(target=double.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        program = folder / "aws"
        program.write_text(SHIM.format(host=HOST, port=double.server_address[1]))
        program.chmod(0o755)
        try:
            yield folder
        finally:
            double.shutdown()


def _answer(region: str, client: Client, place: Path, words: list[str]) -> tuple[int, str, str]:
    service, operation, *rest = words
    waiter, rest = (rest[0], rest[1:]) if operation == "wait" else ("", rest)
    assert rest[:2] == ["--region", region]
    try:
        if service == "s3":
            return 0, _copy(client("s3"), place, rest[2:]), ""
        if service == "sagemaker-runtime" and operation == "invoke-endpoint":
            rest = rest[:-1]  # without the file of the answer, which no script reads
        if waiter:
            return 0, _wait(client(service), waiter, _options(rest[2:])), ""
        return 0, _call(client(service), place, operation, _options(rest[2:])), ""
    except (ClientError, WaiterError) as refused:
        return REFUSED, "", f"\n{refused}\n"


def _options(words: list[str]) -> dict[str, str]:
    assert len(words) % 2 == 0, words
    return {option.removeprefix("--"): value for option, value in zip(words[::2], words[1::2], strict=True)}


def _wait(client: Any, waiter: str, options: dict[str, str]) -> str:
    arguments = {option.title().replace("-", ""): value for option, value in options.items()}
    client.get_waiter(waiter.replace("-", "_")).wait(**arguments, WaiterConfig={"Delay": 0, "MaxAttempts": 3})
    return ""


def _call(client: Any, place: Path, operation: str, options: dict[str, str]) -> str:
    query, form = options.pop("query", "@"), options.pop("output", "json")
    text = options.pop("cli-input-json", "{}")
    body = json.loads((place / text.removeprefix("file://")).read_text() if text.startswith("file://") else text)
    called = operation.replace("-", "_")
    members = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[called]).input_shape.members
    named = {xform_name(member, "-"): (member, shape.type_name) for member, shape in members.items()}
    arguments = {named[option][0]: _value(place, value, named[option][1]) for option, value in options.items()}
    answer = jmespath.search(query, getattr(client, called)(**body | arguments))
    if isinstance(answer, dict) and "Body" in answer:
        answer = {**answer, "Body": None}
    return json.dumps(answer, default=str, indent=4) + "\n" if form == "json" else _text(answer)


def _value(place: Path, text: str, kind: str) -> Any:
    """The value of an option: JSON for what is no string, but a list may also be one word."""
    if kind == "blob":
        return (place / text.removeprefix("fileb://")).read_bytes()
    if kind == "integer":
        return int(text)
    if kind in ("structure", "map") or text.startswith("["):
        return json.loads(text)
    return [text] if kind == "list" else text


def _text(answer: Any) -> str:
    """A list of lists has a line for each; one of single values is one line."""
    if isinstance(answer, list) and not answer:
        return ""
    rows = answer if isinstance(answer, list) and isinstance(answer[0], list) else [answer]
    return "".join("\t".join(map(str, row if isinstance(row, list) else [row])) + "\n" for row in rows)


def _copy(client: Any, place: Path, words: list[str]) -> str:
    """`aws s3 cp … --no-progress --recursive FOLDER s3://BUCKET/PREFIX/`, or of one file to its key."""
    *options, folder, target = words
    if not options:
        bucket, _, key = target.removeprefix("s3://").partition("/")
        client.put_object(Bucket=bucket, Key=key, Body=(place / folder).read_bytes())
        return f"upload: {folder} to {target}\n"
    assert options == ["--no-progress", "--recursive"]
    bucket, _, prefix = target.removeprefix("s3://").partition("/")
    assert prefix.endswith("/"), "a folder's files are copied below a prefix"
    files = (path for path in sorted((place / folder).rglob("*")) if path.is_file())
    for number, path in enumerate(files):
        key = prefix + path.relative_to(place / folder).as_posix()
        if number:  # the bucket takes them, as the first has shown: a request for each is most of a test's time
            s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(bucket, key, path.read_bytes())
        else:
            client.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
    return f"copied {folder}\n"
