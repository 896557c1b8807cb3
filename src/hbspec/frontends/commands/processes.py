"""How many processes a command line starts.

Sources: torchrun's `--nproc_per_node` and `--nnodes` (https://docs.pytorch.org/docs/stable/elastic/run.html);
`--num_gpus`, `--num_nodes` and `--include` of DeepSpeed (https://www.deepspeed.ai/getting-started/); `--num_processes`
of accelerate; and LLaMA-Factory's variables `NPROC_PER_NODE` and `NNODES` (src/llamafactory/launcher.py).
"""

from __future__ import annotations

from typing import NamedTuple

from hbspec.frontends.commands.flags import Places
from hbspec.frontends.commands.launch import Started
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.foreign import Foreign, ForeignKey, node_of

PARALLELISM, COUNT = ("instance", "parallelism"), ("instance", "count")
VISIBLE = "CUDA_VISIBLE_DEVICES"
ALONE = {"torchrun": "torchrun's default is one process", "python": "python starts one process"}
"""Launchers that start one process if nothing is said."""


class ProcessCount(NamedTuple):
    """A number that a command says: the key that says it, and the number."""

    given: ForeignKey
    number: int


def put_processes(started: Started, options: Foreign, building: Building, places: Places) -> None:
    """The parallelism that a number of processes makes, and the number of instances.

    `options` are those of the launcher, with the file that it reads.
    """
    each, hosts = _each(started, options, places), _hosts(started, options, places)
    if hosts and hosts.number > 1:
        building.put(COUNT, hosts.given, hosts.number)
    many = hosts.number if hosts else 1
    is_total = started.launcher in ("accelerate", "trl", "axolotl")
    if each is None:
        is_said = any(word.text.startswith(("--nproc_per_node", "--nproc-per-node")) for word in started.options)
        if started.launcher in ALONE and not is_said and many == 1 and not building.has(PARALLELISM):
            building.default(PARALLELISM, "single", ALONE[started.launcher])
        return
    total = each.number if is_total and each.given.key != VISIBLE else each.number * many
    if not building.has(PARALLELISM):
        building.put(PARALLELISM, each.given, "ddp" if total > 1 else "single")
    building.processes.append((each.given, total))


def _each(started: Started, options: Foreign, places: Places) -> ProcessCount | None:
    """The processes of each host, or with accelerate those of all."""
    names = {
        "torchrun": ("nproc_per_node",),
        "deepspeed": ("num_gpus",),
        "accelerate": ("num_processes",),
        "trl": ("num_processes",),
    }
    found = _number(options.get(*names[started.launcher])) if started.launcher in names else None
    if found or started.launcher == "python":
        return found
    included = options.get("include") if started.launcher == "deepspeed" else None
    if included and "@" not in included.text and ":" in included.text:
        return ProcessCount(included, len(included.text.rpartition(":")[2].split(",")))
    if started.launcher == "llamafactory-cli" and (told := _number(_variable(started, places, "NPROC_PER_NODE"))):
        return told
    visible = _variable(started, places, VISIBLE)
    if visible is None or started.launcher == "torchrun":
        return None
    listed = [name for name in visible.text.split(",") if name.strip()]
    return ProcessCount(visible, len(listed)) if listed else None


def _hosts(started: Started, options: Foreign, places: Places) -> ProcessCount | None:
    names = {"torchrun": "nnodes", "deepspeed": "num_nodes", "accelerate": "num_machines", "trl": "num_machines"}
    if started.launcher in names:
        return _number(options.get(names[started.launcher]))
    return _number(_variable(started, places, "NNODES")) if started.launcher == "llamafactory-cli" else None


def _number(given: ForeignKey | None) -> ProcessCount | None:
    is_whole = given is not None and isinstance(given.number, int) and given.number > 0
    return ProcessCount(given, int(given.number or 0)) if given and is_whole else None


def _variable(started: Started, places: Places, name: str) -> ForeignKey | None:
    """A variable of the environment, as the script sets it."""
    field = started.run.variables.get(name)
    if field is None or field.is_open or not field.text:
        return None
    return ForeignKey((name,), field.text, node_of(field.text, places.of(field)), None)


def open_devices(started: Started) -> str | None:
    """The name of the variable that says which GPUs there are, where it decides and only a shell tells its value."""
    field = started.run.variables.get(VISIBLE)
    decides = started.launcher not in ("torchrun", "python")
    return VISIBLE if decides and field is not None and field.is_open else None
