"""Engines that profile the parts of a split on an existing cluster: Dask and Ray, each imported where it is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hbspec.dataset.parts import DataPart, ProfiledPart, UnprofiledPart, profile_part

CONNECT_SECONDS = 10
Results = Sequence[ProfiledPart | UnprofiledPart]


class EngineError(Exception):
    """An engine did not profile the parts; the message says why, and what to do."""


def map_parts(engine: str, parts: Sequence[DataPart], address: str | None = None) -> list[ProfiledPart]:
    """The profiles of parts, in their order.

    Args:
        engine: one of `ENGINES`.
        parts: at least one.
        address: of a cluster; None for the engine's own default, which its environment can name.

    Raises:
        EngineError: the engine is not installed, does not answer, or a part cannot be profiled.
    """
    try:
        run = ENGINES[engine]()
    except ImportError:
        raise EngineError(f'--engine {engine} needs `pip install "hbspec[{engine}]"`') from None
    try:
        results = run(parts, address)
    except Exception as reason:  # engines raise what they and their networks please
        at = "" if address is None else f" at {address}"
        first = next(iter(str(reason).strip().splitlines()), "")
        said = f"{type(reason).__name__}: {first}" if first else type(reason).__name__
        raise EngineError(
            f"--engine {engine}: the cluster{at} did not profile the data ({said}); check that it runs, and that its "
            "workers have hbspec"
        ) from None
    failed = next((result for result in results if isinstance(result, UnprofiledPart)), None)
    if failed is not None:
        needed = "workers need the same hbspec, and the same files under the same names"
        raise EngineError(f"{failed.where}: {failed.what}; {needed}")
    return [result for result in results if isinstance(result, ProfiledPart)]


Run = Callable[[Sequence[DataPart], str | None], Results]


def _dask() -> Run:
    import dask.bag

    def run(parts: Sequence[DataPart], address: str | None) -> Results:
        bag = dask.bag.from_sequence(parts, npartitions=len(parts)).map(profile_part)
        if address is None:
            return list(bag.compute())
        with _client(address):
            return list(bag.compute())

    return run


def _client(address: str) -> Any:
    from distributed import Client

    return Client(address, timeout=CONNECT_SECONDS)


def _ray() -> Run:
    import ray

    def run(parts: Sequence[DataPart], address: str | None) -> Results:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
        try:
            task = ray.remote(profile_part)
            return list(ray.get([task.remote(part) for part in parts]))
        finally:
            ray.shutdown()

    return run


ENGINES: Mapping[str, Callable[[], Run]] = {"dask": _dask, "ray": _ray}
"""Each imports its engine, and gives what runs parts on it."""
