"""One file of a compiled target, in memory."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any, NamedTuple

LEFT_BY_SYSTEMS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that file managers leave in every folder that they show: nobody's work."""
CACHE, CACHED = "__pycache__", ".pyc"
"""The folder and the suffix of bytecode that Python leaves beside an imported module."""


class Artifact(NamedTuple):
    """A file: its path below the target's folder (`/` between parts), its bytes, and whether it is a program."""

    path: str
    content: bytes
    executable: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of the content, hexadecimal."""
        return sha256(self.content).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """The path, the size in bytes, the digest, and the text (None for binary content)."""
        try:
            text = self.content.decode()
        except UnicodeDecodeError:
            text = None
        return {"path": self.path, "bytes": len(self.content), "sha256": self.digest, "text": text}


def json_artifact(path: str, body: Any) -> Artifact:
    """A JSON file with the keys in the order of the body, ending in a newline."""
    return Artifact(path, (json.dumps(body, indent=2, ensure_ascii=False) + "\n").encode())


def comment(text: str) -> str:
    """The text as a one-line comment of a shell script."""
    return f"# {' '.join(text.split())}"


def script_artifact(path: str, lines: list[str]) -> Artifact:
    """An executable text file with these lines."""
    return Artifact(path, ("\n".join(lines) + "\n").encode(), executable=True)
