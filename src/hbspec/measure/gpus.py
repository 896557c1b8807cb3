"""The GPUs at hand: what PyTorch sees, what the driver says of them, and what they are in a spec."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from hbspec.catalog import catalog
from hbspec.catalog.gpu_names import gpu_of_driver
from hbspec.measure.observer import PROBE

SECONDS = 120
"""Until a question is given up: the first import of torch on a cold disk takes a minute."""

QUERY = ("nvidia-smi", "--query-gpu=uuid,driver_version,memory.used", "--format=csv,noheader,nounits")


class GpuAtHand(NamedTuple):
    """A GPU of this machine.

    Attributes:
        name: as the driver says it: `NVIDIA A10G`.
        total: bytes, as PyTorch reports them.
        used: bytes in use before anything is started; None where the driver's tool does not say.
    """

    name: str
    total: int
    used: int | None

    @property
    def called(self) -> str:
        """The catalog's name of it; the driver's where the catalog does not know it."""
        found = gpu_of_driver(self.name, self.total, catalog().gpus)
        return found.name if found is not None else self.name


class MachineAtHand(NamedTuple):
    """What a job would run on.

    Attributes:
        gpus: those that PyTorch sees; none on a machine for a CPU.
        torch: the version of PyTorch.
        cuda: that of CUDA, which PyTorch was built for; None without.
        driver: that of the driver; None where its tool does not say.
    """

    gpus: tuple[GpuAtHand, ...]
    torch: str
    cuda: str | None
    driver: str | None


class NoMachineError(RuntimeError):
    """PyTorch cannot be asked for GPUs; the message says why."""


def machine() -> MachineAtHand:
    """The machine at hand, asked in processes that end at once.

    Raises:
        NoMachineError: PyTorch cannot be imported, or does not answer.
    """
    observer = str(Path(__file__).with_name("observer.py"))
    try:
        done = subprocess.run(  # noqa: S603 - hbspec's own program
            [sys.executable, observer, PROBE], capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NoMachineError(f"PyTorch did not say within {SECONDS} s which GPUs it sees") from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise NoMachineError(f"PyTorch cannot be asked for GPUs: {said}")
    seen = json.loads(done.stdout.strip().splitlines()[-1])
    told = _driver_told()
    gpus = [
        GpuAtHand(gpu["name"], gpu["total_bytes"], told.get(gpu["uuid"].removeprefix("GPU-"), (None, None))[1])
        for gpu in seen["gpus"]
    ]
    driver = next((version for version, _ in told.values()), None) if gpus else None
    return MachineAtHand(tuple(gpus), seen["torch"], seen["cuda"], driver)


def _driver_told() -> Mapping[str, tuple[str, int]]:
    """The driver's version and the bytes in use, by a GPU's uuid; empty without the driver's tool."""
    try:
        done = subprocess.run(QUERY, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return read_driver(done.stdout) if not done.returncode else {}


def read_driver(text: str) -> Mapping[str, tuple[str, int]]:
    r"""The answer of the driver's tool by uuid, as PyTorch spells it; lines that are none are left out.

    >>> read_driver("GPU-0a1b, 570.133.20, 423\nGPU-2c3d, 570.133.20, [N/A]\n")
    {'0a1b': ('570.133.20', 443547648)}
    """
    found = {}
    for line in text.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == 3 and parts[2].isdecimal():
            found[parts[0].removeprefix("GPU-")] = (parts[1], int(parts[2]) * 2**20)
    return found


def visible(count: int) -> str:
    """`CUDA_VISIBLE_DEVICES` of the first so many of the GPUs that are seen now; "" for none."""
    given = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return ",".join((given or [str(index) for index in range(count)])[:count])
