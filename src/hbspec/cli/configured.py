"""The configuration of a command: the file that is found or named, and what its options change."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hbspec.cli.command import MisuseError, Parameter
from hbspec.configuration import EVERYTHING, Configuration, ConfigurationError
from hbspec.configuration.place import found_from

if TYPE_CHECKING:
    from hbspec.policy import Policy


def sha256_of(text: str) -> str:
    """The 64 hexadecimal digits that a word spells, perhaps after `sha256:`.

    Raises:
        ValueError: the word is not a SHA-256.
    """
    digits = text.lower().removeprefix("sha256:")
    if not re.fullmatch("[0-9a-f]{64}", digits):
        raise ValueError("not a SHA-256, which has 64 hexadecimal digits")
    return digits


CONFIG = Parameter(
    "config",
    "The configuration; by default, the nearest hbspec.toml, or pyproject.toml with [tool.hbspec], in this folder and "
    "those above it, up to the repository's.",
    ("--config",),
    "FILE",
    convert=Path,
)
NO_CONFIG = Parameter("no_config", "Read no configuration.", ("--no-config",), switch=True)
SELECT = Parameter(
    "select",
    "Report only these: a code, the beginning of several (HB1) or a name. Can be repeated.",
    ("--select",),
    "CODE",
    repeated=True,
)
POLICY = Parameter(
    "policy",
    "What the organisation allows, instead of the configuration's `policy`.",
    ("--policy",),
    "FILE",
    convert=Path,
)
POLICY_DIGEST = Parameter(
    "policy_digest", "The SHA-256 that the policy must have.", ("--policy-digest",), "SHA256", convert=sha256_of
)
IGNORE = Parameter("ignore", "Do not report these. Can be repeated.", ("--ignore",), "CODE", repeated=True)


def configured(config: Path | None, no_config: bool) -> Configuration:
    """The configuration that applies.

    Raises:
        ConfigurationError: it cannot be used.
        MisuseError: one is named, and none shall be read.
    """
    if config is not None and no_config:
        raise MisuseError("--config and --no-config contradict each other")
    file = config if config is not None or no_config else found_from(Path.cwd())
    if file is None:
        return EVERYTHING
    from hbspec.configuration.file import read

    return read(Path(os.path.relpath(file)) if config is None else file)


def policed(configuration: Configuration, policy: Path | None, digest: str | None) -> Policy | None:
    """The policy that applies: the one that is named, or else the configuration's.

    Raises:
        ConfigurationError: it cannot be used, or is another than the digest's.
        MisuseError: a digest is given, but no policy.
    """
    file = policy or configuration.policy
    if file is None:
        if digest is not None:
            raise MisuseError("--policy-digest expects a policy: name one with --policy, or in the configuration")
        return None
    from hbspec.policy import read_policy

    return read_policy(Path(os.path.relpath(file)) if policy is None else file, digest)


def chosen(configuration: Configuration, select: Sequence[str], ignore: Sequence[str]) -> Configuration:
    """The configuration with other codes, where the command line names some.

    Raises:
        MisuseError: a word is neither a code nor a name, or cannot be ignored.
    """
    if not (select or ignore):
        return configuration
    from hbspec.configuration.file import codes

    try:
        if select:
            configuration = replace(configuration, select=codes("--select", select))
        return replace(configuration, ignore=codes("--ignore", ignore, silenced=True)) if ignore else configuration
    except ConfigurationError as wrong:
        first = wrong.diagnostics[0]
        raise MisuseError(f"{first.route[0]}: {first.message}; {first.help}") from None
