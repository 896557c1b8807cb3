"""The shell scripts in a Markdown text: its fenced blocks of a shell's language."""

from __future__ import annotations

import re
from collections.abc import Iterator

FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})[ \t]*([^\s`{]*)[^`\n]*$", re.MULTILINE)
LANGUAGES = frozenset(("bash", "sh", "shell", "console", "zsh", "shell-session", "sh-session", "terminal", ""))


def scripts_in(text: str) -> Iterator[tuple[int, int]]:
    r"""Where the content of each such block begins and ends; one that is not closed ends with the text.

    >>> text = "Run:\n```bash\nls\n```\n"
    >>> [text[start:end] for start, end in scripts_in(text)]
    ['ls\n']
    """
    at = 0
    while opening := FENCE.search(text, at):
        start = min(opening.end() + 1, len(text))
        closing = re.compile(rf"^[ \t>]*{re.escape(opening[1])}{opening[1][0]}*[ \t\r]*$", re.MULTILINE)
        found = closing.search(text, start)
        end = found.start() if found else len(text)
        if opening[2].casefold().strip("{}.") in LANGUAGES:
            yield start, end
        at = found.end() if found else end
