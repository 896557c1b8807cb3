"""Which findings are reported, and how severe they are.

Some findings are reported whatever a configuration says (`ALWAYS`): those about a spec that cannot be read, since
nothing else is known of it, credentials, which compiled files would disclose, and what breaks an organisation's
policy, which is not the author's to waive.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from hbspec.diagnostics import Diagnostic, Severity

ALWAYS = re.compile("HB0[0-6].|HB605|HB6[89].")
"""Codes that cannot be ignored, and whose severity is fixed."""
OF_A_POLICY = re.compile("HB6[89].")
"""Those that a comment in a spec does not silence, either."""
NEVER_FORCED = re.compile("HB605|HB6[89].")
"""Errors that `force` does not override: compiled files are uploaded, and would disclose a credential."""


@dataclass(frozen=True)
class Configuration:
    """What an author, or an organisation, wants to be told.

    A word for codes is a code (`HB109`), the beginning of several (`HB1`), or a name (`does-not-fit`).

    Attributes:
        select: words for the codes that are reported; empty for all.
        ignore: words for the codes that are not.
        severity: words, each with the severity that its codes have instead of their own; the last that applies decides.
        per_file_ignores: patterns of file names (`specs/old-*.yaml`), each with the words that are ignored there.
        strict: whether warnings fail, too.
        catalog: a file of prices beside the shipped ones.
        policy: a file with an organisation's policy.
        baseline: a file of known findings, which `check` counts and does not report.
        folder: the folder that patterns are relative to.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: tuple[tuple[str, Severity], ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    strict: bool = False
    catalog: Path | None = None
    policy: Path | None = None
    baseline: Path | None = None
    folder: Path | None = None

    def reports(self, code: str, name: str, file: str) -> bool:
        """Whether a finding of a code is reported in a file."""
        if ALWAYS.fullmatch(code):
            return True
        if self.select and not any(stands_for(word, code, name) for word in self.select):
            return False
        here = (word for pattern, words in self.per_file_ignores if self._matches(file, pattern) for word in words)
        return not any(stands_for(word, code, name) for word in (*self.ignore, *here))

    def severity_of(self, code: str, name: str, own: Severity) -> Severity:
        """The severity of a finding; `own` is the one that its rule gives it."""
        if ALWAYS.fullmatch(code):
            return own
        return next((to for word, to in reversed(self.severity) if stands_for(word, code, name)), own)

    def _matches(self, file: str, pattern: str) -> bool:
        """Whether a file, or a folder above it, has a name of the pattern; names are relative to the configuration."""
        path = Path(os.path.abspath(file))  # noqa: PTH100 - a link stays one
        if self.folder is not None and path.is_relative_to(self.folder):
            path = path.relative_to(self.folder)
        return any(fnmatchcase(one.as_posix(), pattern) for one in (path, *path.parents) if one.name)


class ConfigurationError(ValueError):
    """A configuration that cannot be used; `diagnostics` hold every reason."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__("; ".join(entry.message for entry in diagnostics))
        self.diagnostics = diagnostics


EVERYTHING = Configuration()
"""What is reported where nothing is configured."""


def stands_for(word: str, code: str, name: str) -> bool:
    """Whether a word is a code, the beginning of it, or its name.

    >>> [stands_for(word, "HB109", "does-not-fit") for word in ("HB109", "HB1", "does-not-fit", "HB2", "does")]
    [True, True, True, False, False]
    """
    return word == name or (word.startswith("HB") and code.startswith(word))
