"""accelerate 1.15.0's configuration file: its keys, none of which influences memory beyond those that are read."""

from __future__ import annotations

from hbspec.frontends.reading.influence import ProgramKeys, Unread
from hbspec.frontends.reading.pinned import pinned, title

MEMORY = {
    "megatron_lm_config": Unread("either", "trains by Megatron-LM"),
    "fp8_config": Unread("either", "computes in 8 bits"),
    "parallelism_config": Unread("either", "divides the work in other ways"),
    "dynamo_config": Unread("either", "compiles the model"),
    "use_cpu": Unread("less", "trains on the CPU"),
}


def fields() -> ProgramKeys:
    """The keys of accelerate's file, and what they influence."""
    known = frozenset(pinned("accelerate")["fields"])
    return ProgramKeys(title("accelerate", "accelerate"), known, MEMORY, frozenset())
