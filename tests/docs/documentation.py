"""Where the documentation lies, and what tests read out of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
TOOLS = ROOT / "tools"
PAGES = (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))


def blocks(page: Path, language: str) -> list[str]:
    """The contents of a page's code blocks in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def spec_of_readme() -> str:
    """The ten lines of the first screen."""
    return blocks(ROOT / "README.md", "yaml")[0]


def shell(command: str, folder: Path) -> str:
    """What a command prints, as in a terminal of the pages' width; it must not fail in another way than by findings."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path, "COLUMNS": "96", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout
