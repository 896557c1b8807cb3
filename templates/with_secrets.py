"""Starts a program with secrets of AWS Secrets Manager in its environment.

    python with_secrets.py NAME=SECRET [NAME=SECRET …] -- PROGRAM [ARGUMENT …]

SECRET is the ARN or the name of a secret: a text, or a JSON object that has NAME. What it holds is passed in the
environment alone: it is neither printed nor written, and no argument has it. The process needs the permission
`secretsmanager:GetSecretValue`. boto3 is part of AWS's training images.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NamedTuple

WRONG = 2


class RefusedError(Exception):
    """A secret cannot be had."""


class Asked(NamedTuple):
    """A variable, and the secret that holds its value."""

    name: str
    secret: str

    @property
    def region(self) -> str | None:
        """The region that an ARN names; None for a name, which is looked up where the job runs."""
        parts = self.secret.split(":")
        return parts[3] if len(parts) > 6 and parts[0] == "arn" else None  # arn:PARTITION:SERVICE:REGION:ACCOUNT:…


def value_of(asked: Asked) -> str:
    """The value of a variable.

    Raises:
        RefusedError: the secret cannot be read, or holds nothing for this variable.
    """
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        raise RefusedError("boto3 is not installed here: add it to the image, or to requirements.txt") from None
    try:
        held = boto3.client("secretsmanager", region_name=asked.region).get_secret_value(SecretId=asked.secret)
    except ClientError as reason:
        code = reason.response.get("Error", {}).get("Code", "an error")
        may = ": the job's role needs secretsmanager:GetSecretValue" if code.startswith("AccessDenied") else ""
        raise RefusedError(f"it cannot be read ({code}){may}") from None
    except BotoCoreError as reason:
        raise RefusedError(f"it cannot be read ({type(reason).__name__})") from None
    text = held.get("SecretString")
    if text is None:
        raise RefusedError("it is binary, and an environment variable is a text")
    value = _of_object(asked.name, text)
    if not value or "\0" in value:
        raise RefusedError("it is empty" if not value else "it holds a null byte")
    return value


def _of_object(name: str, text: str) -> str:
    """What a secret that was made as key and value holds for a variable; a plain text is the value itself."""
    try:
        held = json.loads(text)
    except ValueError:
        return text.strip()
    if not isinstance(held, dict):
        return text.strip()
    value = held.get(name)
    if not isinstance(value, str):
        raise RefusedError(f"it is a JSON object without a text named {name}")
    return value.strip()


def _leave(number: int, frame: FrameType | None) -> None:
    """Ends the job well, as `leaving` does: nothing was trained, and a secret may be waited for for minutes."""
    del frame
    os.write(sys.stderr.fileno(), f"hbspec: stopped by {signal.Signals(number).name} before training began\n".encode())
    os._exit(0)


def main(arguments: Sequence[str]) -> int:
    """Becomes the program; returns only where that fails."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    words = list(arguments)
    at = words.index("--") if "--" in words else len(words)
    asked, program = [Asked(*word.partition("=")[::2]) for word in words[:at]], words[at + 1 :]
    if not program or not all(one.name and one.secret for one in asked):
        print("usage: with_secrets.py NAME=SECRET [NAME=SECRET …] -- PROGRAM [ARGUMENT …]", file=sys.stderr)
        return WRONG
    for one in asked:
        try:
            os.environ[one.name] = value_of(one)
        except RefusedError as reason:
            print(f"hbspec: secret {one.secret}, for {one.name}: {reason}", file=sys.stderr)
            return WRONG
    try:
        os.execvp(program[0], program)
    except OSError as reason:
        print(f"hbspec: {program[0]} cannot be started: {reason.strerror}", file=sys.stderr)
        return WRONG


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
