"""Generate the generated parts of the documentation.

    python tools/generate_docs.py            # write
    python tools/generate_docs.py --check    # exit 1, and name each file that would change

Some pages are fully generated (`docs_pages.py`): the manual of codes, the spec reference, the editors' schema. In all
others, the parts between `<!-- kind: words -->` and `<!-- end -->` are (`docs_fragments.py`): the output of a command
that was run, a table, the text of docstrings. So no number in the documentation is typed by hand.
"""

from __future__ import annotations

import argparse
import sys
from difflib import unified_diff
from itertools import islice
from pathlib import Path

from docs_fragments import PageError, fill
from docs_pages import generated_pages

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
DIFF_LINES = 24
"""Lines of each difference that are shown."""


def pages(*, slow: bool) -> dict[Path, str]:
    """The up-to-date text of every fully or partly generated file; `slow` as in `docs_fragments.fill`."""
    found = {DOCS / name: text for name, text in generated_pages().items()}
    for path in (ROOT / "README.md", *sorted(DOCS.glob("*.md"))):
        if path not in found:
            found[path] = fill(path.read_text(encoding="utf-8"), path.name, slow=slow)
    return found


def left_over(wanted: dict[Path, str]) -> list[Path]:
    """Pages of codes that no longer exist."""
    return [path for path in sorted((DOCS / "rules").glob("*")) if path not in wanted]


def difference(path: Path, text: str) -> str:
    """The first lines of the unified diff from the file to its up-to-date text; empty if they are equal."""
    current = path.read_text(encoding="utf-8") if path.exists() else ""
    name = str(path.relative_to(ROOT))
    lines = unified_diff(current.splitlines(), text.splitlines(), name, f"{name} (generated)", n=1, lineterm="")
    return "\n".join(islice(lines, DIFF_LINES))


def write(wanted: dict[Path, str]) -> None:
    """Write the files, and delete left-over pages."""
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for path in left_over(wanted):
        path.unlink()


def check(wanted: dict[Path, str]) -> bool:
    """Whether all files are up to date; prints the differences on standard error."""
    stale = [shown for path, text in wanted.items() if (shown := difference(path, text))]
    stale += [f"{path.relative_to(ROOT)}: this code no longer exists" for path in left_over(wanted)]
    for shown in stale:
        sys.stderr.write(f"{shown}\n\n")
    if stale:
        sys.stderr.write(f"{len(stale)} stale: run `make docs`\n")
    return not stale


def main(arguments: list[str] | None = None) -> int:
    """Write or check the files, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file differs")
    only_check = parser.parse_args(arguments).check
    try:
        wanted = pages(slow=not only_check)
    except PageError as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    if only_check:
        return 0 if check(wanted) else 1
    write(wanted)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
