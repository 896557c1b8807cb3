"""An editor of a few lines: it speaks JSON-RPC with the server that it has started, over its pipes."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import count
from pathlib import Path
from threading import Timer

LONGEST = 600
"""Seconds after which a server is killed, so that no test waits for ever."""
FULL = {"general": {"positionEncodings": ["utf-16"]}}


class Editor:
    """A client of one server, which every method waits for."""

    def __init__(self, folder: Path, capabilities=FULL) -> None:
        self.server = subprocess.Popen(
            [sys.executable, "-m", "hbspec", "lsp"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder,
        )  # fmt: skip
        self.watchdog = Timer(LONGEST, self.server.kill)
        self.watchdog.start()
        self.ids, self.versions, self.published, self.logged = count(1), count(1), {}, []
        self.able = self.ask("initialize", processId=None, rootUri=folder.as_uri(), capabilities=capabilities)
        self.tell("initialized")

    def tell(self, method, **params):
        self._send({"method": method, "params": params})

    def ask(self, method, **params):
        number = next(self.ids)
        self._send({"id": number, "method": method, "params": params})
        while True:
            message = self._receive()
            if message.get("id") == number and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def about(self, method, file, line=0, column=0, **more):
        place = {"line": line, "character": column}
        return self.ask(f"textDocument/{method}", textDocument={"uri": file.as_uri()}, position=place, **more)

    def open(self, file, text):
        """Open a text, and return the findings in it."""
        document = {"uri": file.as_uri(), "languageId": "yaml", "version": next(self.versions), "text": text}
        self.tell("textDocument/didOpen", textDocument=document)
        return self.findings(file, document["version"])

    def change(self, file, *texts):
        """Change a text, once or several times in a row, and return the findings in its last state."""
        versions = [self.write(file, text) for text in texts]
        return self.findings(file, versions[-1])

    def write(self, file, text):
        """Change a text, wait for nothing, and return its version."""
        document = {"uri": file.as_uri(), "version": next(self.versions)}
        self.tell("textDocument/didChange", textDocument=document, contentChanges=[{"text": text}])
        return document["version"]

    def findings(self, file, version=None):
        """The findings that are published of a text, of a version of it if one is named."""
        self.published.pop(file.as_uri(), None)
        while True:
            found = self.published.get(file.as_uri())
            if found is not None and version in (None, found.get("version")):
                return found["diagnostics"]
            self._receive()

    def close(self):
        self.ask("shutdown")
        self.tell("exit")
        self.watchdog.cancel()
        _, said = self.server.communicate(timeout=300)
        return self.server.returncode, said.decode()

    def _send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.server.stdin.flush()

    def _receive(self):
        length = 0
        while (line := self.server.stdout.readline().strip()) != b"":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        assert length, self.server.stderr.read().decode()
        message = json.loads(self.server.stdout.read(length))
        if message.get("method") == "textDocument/publishDiagnostics":
            self.published[message["params"]["uri"]] = message["params"]
        elif message.get("method") == "window/logMessage":
            self.logged.append(message["params"]["message"])
        return message
