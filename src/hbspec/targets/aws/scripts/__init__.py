"""The parts of `deploy.sh` and `teardown.sh` that are the same for every spec, as they stand in the scripts.

` @at` stands for the option `--region`, as a word of a command. All else that differs is in variables, which are set
before a part, and so is the option as a text.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hbspec.targets.aws.submission import region_option


def part(name: str, region: str | None) -> Iterator[str]:
    """The lines of a part.

    Args:
        name: of a file beside this module, without `.sh`.
        region: AWS region of the commands; None for the CLI's default.
    """
    text = (Path(__file__).parent / f"{name}.sh").read_text(encoding="utf-8")
    yield from text.replace(" @at", region_option(region)).splitlines()
