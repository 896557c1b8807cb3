"""What FSDP's hooks around a unit cost the host, in launches of an operator.

    python benchmarks/hooks.py [--units 160]

A chain of tiny linear layers is run forward and back, alone and with each layer a unit of FSDP, among ranks whose
collectives do nothing. The difference a unit and pass, over the time of one operator, is what
`hbspec.estimators.constants.StepConstants.unit` stands for. Left out: streams and events of a GPU, which cost more.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable

import torch
from torch import distributed, nn
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
from torch.testing._internal.distributed.fake_pg import FakeStore

WIDTH, ROWS, RANKS = 16, 2, 8
KERNELS = 3
"""Of a layer without a bias: one forward, two back."""
PASSES = 2


def chain(units: int) -> nn.Sequential:
    """Layers so small that only the host takes time."""
    return nn.Sequential(*(nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(units)))


def flat(units: int) -> nn.Module:
    """Each layer a unit of FSDP1, and the root."""
    host = torch.device("cpu")
    layers = [FullyShardedDataParallel(layer, device_id=host, use_orig_params=True) for layer in chain(units)]
    return FullyShardedDataParallel(nn.Sequential(*layers), device_id=host, use_orig_params=True)


def by_parameter(units: int) -> nn.Module:
    """The same with FSDP2."""
    model = chain(units)
    for layer in model:
        fully_shard(layer)
    return fully_shard(model)


def seconds(model: nn.Module, rounds: int = 15) -> float:
    """Processor time of the fastest of some passes forward and back."""
    rows = torch.randn(ROWS, WIDTH)
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        model(rows).sum().backward()
        taken.append(time.process_time() - start)
    return min(taken)


def main() -> None:
    """Prints a line for each kind of FSDP."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=160)
    units = parser.parse_args().units
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    distributed.init_process_group("fake", rank=0, world_size=RANKS, store=FakeStore())
    alone = seconds(chain(units))
    launch = alone / (KERNELS * units)
    print(f"an operator: {launch * 1e6:.1f} us")
    kinds: dict[str, Callable[[int], nn.Module]] = {"FSDP1": flat, "FSDP2": by_parameter}
    for name, build in kinds.items():
        unit = (seconds(build(units)) - alone) / (units * PASSES)
        print(f"{name}: a unit and pass {unit * 1e6:.0f} us, {unit / launch:.0f} launches")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
