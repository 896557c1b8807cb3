"""How long an editor waits for findings after a key, and what the language server holds in memory.

    python benchmarks/lsp.py [KEYS]

A spec of 300 lines is opened, and single keys are typed into it; each time counts from the key to the published
findings, with the pause in which the server waits for another key. Then the same with a file missing that the spec
names, and with a typo in a key: what is wrong is fixed in thought first, to see what else it explains. Aims: 100 ms
(median), 150 MB.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from lsp.editor import Editor  # type: ignore[import-not-found]  # noqa: E402 - a client of the tests

from hbspec.lsp.server import PAUSE  # noqa: E402

LINES = 300


def spec() -> str:
    """The example spec with comments up to the number of lines, as a spec that people have worked on has."""
    text = (ROOT / "specs" / "heartbeat.yaml").read_text(encoding="utf-8")
    return text + "# why a value is what it is\n" * (LINES - text.count("\n"))


def processor_ms(process: int) -> float:
    """Milliseconds for which a process has run (proc_pid_stat(5))."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1e3 / os.sysconf("SC_CLK_TCK")


def typed(editor: Editor, file: Path, text: str, keys: int) -> str:
    """Type keys into a text; what the first took and the others, and how many findings it has."""
    taken, worked, found = [], [processor_ms(editor.server.pid)], []
    for key in range(keys + 1):
        start = perf_counter()
        found = editor.change(file, re.sub(r"max_cost: \d+", f"max_cost: {500 + key}", text))
        taken.append((perf_counter() - start) * 1e3)
        worked.append(processor_ms(editor.server.pid))
    first, *others = taken
    times = f"first {first:.0f} ms, then median {median(others):.0f} ms, longest {max(others):.0f} ms"
    work = (worked[-1] - worked[1]) / keys
    return f"{times}, {work:.0f} ms of the processor ({LINES} lines, findings: {len(found)})"


def main(keys: int) -> None:
    """Type, and print what the keys took."""
    text = spec()
    with TemporaryDirectory() as folder:
        for profile in (ROOT / "specs").glob("*.profile.json"):
            shutil.copy(profile, folder)
        file = Path(folder) / "job.yaml"
        editor = Editor(Path(folder))
        start = perf_counter()
        editor.open(file, text)
        print(
            f"first findings: {(perf_counter() - start) * 1e3:.0f} ms; a pause of {PAUSE * 1e3:.0f} ms is part of each"
        )
        states = {
            "as it is": text,
            "a file missing": text.replace("profile: ./", "profile: ./no-"),
            "a typo in a key": text.replace("lora_alpha:", "lora_alhpa:"),
        }
        for said, state in states.items():
            print(f"after a key, {said}: {typed(editor, file, state, keys)}")
        held = Path(f"/proc/{editor.server.pid}/status").read_text()
        resident = next(int(line.split()[1]) for line in held.splitlines() if line.startswith("VmHWM"))
        print(f"resident: {resident / 1e3:.0f} MB at most")
        editor.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
