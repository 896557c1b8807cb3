"""The options of `hbspec data profile` that profile parts of the data on a cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hbspec.cli.command import MisuseError, Parameter

if TYPE_CHECKING:
    from hbspec.dataset.files import DataFile
    from hbspec.dataset.profile import DataProfile
    from hbspec.dataset.readers import Reader
    from hbspec.dataset.tally import Tallies

ENGINE = Parameter(
    "engine",
    "Profile parts of the data on a cluster, and merge them. Workers need hbspec, and the files under the same names.",
    ("--engine",),
    "ENGINE",
    choices=("dask", "ray"),
)
"""The engines of `hbspec.dataset.engines`."""
ADDRESS = Parameter(
    "address",
    "The address of the cluster, such as tcp://10.0.0.5:8786; without it, the engine's own default.",
    ("--address",),
    "ADDRESS",
)


def profile_on(
    engine: str,
    address: str | None,
    files: Sequence[DataFile],
    reader: Reader,
    columns: Sequence[tuple[str, str]],
    weights: Mapping[str, float],
    tokenizer: str | None,
    template: str | None,
) -> tuple[DataProfile, Tallies]:
    """As `profile_data`, of parts on a cluster; the template is a text.

    Raises:
        MisuseError: the engine does not profile them; the message says why.
        OSError: a file cannot be read here.
    """
    from hbspec.dataset.engines import EngineError, map_parts
    from hbspec.dataset.parts import joined, parts_of

    try:
        parts = parts_of(files, reader, dict(columns), weights, tokenizer, template)
        return joined(parts, map_parts(engine, parts, address))
    except (EngineError, ValueError) as reason:
        raise MisuseError(str(reason)) from None
