"""The configuration of a command: the file that is found or named, and what its options change."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hbspec.cli.command import MisuseError, Parameter
from hbspec.configuration import EVERYTHING, Configuration, ConfigurationError
from hbspec.configuration.place import found_from

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
