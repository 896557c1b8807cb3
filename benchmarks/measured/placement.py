"""Where a row's job ran, as the spec's `instance`."""

from __future__ import annotations

import re
from typing import Any

from hbspec.catalog import catalog
from hbspec.units import GB as GIGA
from hbspec.units import GIB
from measured.reason import NotExpressibleError
from measured.row import Row

GPUS_A_HOST = 8
"""GPUs of one host, where a job has more; sources with several hosts do not say how many each had."""

SERVERS = 2
"""Hosts of a row that is marked as multinode: QwenLM/Qwen, README.md, "Profiling of Memory and Speed", has two with two
GPUs each."""

RAILS = (("A100", "200 Gb/s"), ("A800", "200 Gb/s"), ("H100", "400 Gb/s"), ("H800", "400 Gb/s"), ("H200", "400 Gb/s"))
"""The network adapter that each GPU of a host usually has to itself, where hosts of these are joined: NVIDIA DGX A100
and DGX H100 data sheets. Sources do not state it; for other GPUs nothing is assumed."""

SAME_SIZE = 0.1
"""How far the gigabytes of a name may lie from the catalog's: 48 GB of an A40 are 45 GiB with error correction."""


def instance(row: Row) -> dict[str, Any]:
    """The GPUs, the hosts and how they share the work.

    Raises:
        NotExpressibleError: a placement or a GPU that is not known.
    """
    gpus = row.whole("n_gpus") or 1
    hosts = gpus // GPUS_A_HOST if gpus > GPUS_A_HOST and gpus % GPUS_A_HOST == 0 else 1
    if "multinode" in row["parallelism"]:
        hosts = SERVERS
    way = _parallelism(row["parallelism"], gpus)
    if way == {"parallelism": "single"}:
        way = _engine_of_one(row["notes"])
    where = {"count": hosts, "gpus": gpus // hosts, **way, **_gpu(row["gpu"])}
    if hosts > 1:
        where |= _network(row, where["gpu"], where["gpus"])
    return where


def _network(row: Row, gpu: str, gpus: int) -> dict[str, str]:
    """What joins the hosts: EFA where the row says so, at the speed of the catalog's instances with these GPUs."""
    if re.search(r"\bEFA\b", row["notes"]):
        alike = (found for found in catalog().instances.values() if found.gpu == gpu and found.gpus == gpus)
        speeds = [found.network_bits_per_second for found in alike if found.network_bits_per_second]
        return {"network": f"{min(speeds) / GIGA:g} Gb/s"} if speeds else {}
    rail = next((speed for name, speed in RAILS if name in gpu), None)
    return {} if rail is None else {"network": f"{int(rail.split()[0]) * gpus} Gb/s"}


def _parallelism(text: str, gpus: int) -> dict[str, Any]:
    lowered = text.lower()
    offload = "offload" in lowered and "not read" not in lowered
    tensor = re.search(r"tp[ =_-]?(\d+)", lowered)
    if re.search(r"(?<![a-z])(?:[cse]p|pp)[ =_-]?\d|context|sequence|ulysses", lowered):
        raise NotExpressibleError(f"parallelism {text}")
    kind: dict[str, Any]
    zero = re.search(r"zero[ _-]?(?:stage[ _-]?)?([123])", lowered)
    if zero:
        kind = {"parallelism": f"zero{zero[1]}"}
        if offload:
            kind["offload"] = "all" if zero[1] == "3" else "optimizer"
    elif "no_shard" in lowered:
        kind = {"parallelism": "fsdp", "sharding": "none"}
    elif "fsdp" in lowered or "hsdp" in lowered:
        kind = {"parallelism": "fsdp", "sharding": "hybrid" if re.search("hsdp|hybrid", lowered) else "full"}
        if offload:
            kind["offload"] = "all"
    elif re.search(r"naive|device_map|pipeline|model.parallel", lowered):
        kind = {"parallelism": "pipeline"}
    elif "ddp" in lowered or "data" in lowered:
        kind = {"parallelism": "ddp"}
    elif lowered in ("", "?", "single", "none", "1 gpu") and gpus == 1:
        kind = {"parallelism": "single"}
    else:
        raise NotExpressibleError(f"parallelism {text or 'of several GPUs'} not known")
    return {**kind, **({"tensor_parallel": int(tensor[1])} if tensor else {})}


def _engine_of_one(notes: str) -> dict[str, Any]:
    """One GPU, with or without DeepSpeed, which keeps fp32 master weights and its buffers there too.

    Stage 3 where the notes name none, as QwenLM/Qwen's finetune_ds.sh has it.
    """
    found = re.search(r"deepspeed(?: zero-?(\d))?", notes, re.IGNORECASE)
    return {"parallelism": f"zero{found[1] or 3}" if found else "single"}


def _gpu(text: str) -> dict[str, Any]:
    """A GPU of the catalog by what its name and its memory say; else its name and its memory."""
    plain = re.sub(r"[^a-z0-9]", "", text.lower())
    size = re.search(r"(?<![a-z\d])(\d+) ?(?:gb|gib)\b", text.lower())
    gigabytes = int(size[1]) if size else None
    found = []
    for name, gpu in catalog().gpus.items():
        model = re.sub(r"-\d+$", "", name)
        key = re.sub(r"[^a-z0-9]", "", model.lower())
        nominal = gpu.nominal_bytes or 0
        near = gigabytes is None or abs(nominal / GIB / gigabytes - 1) < SAME_SIZE
        if "pcie" in plain and "pcie" in key:
            key = "pcie" + key.replace("pcie", "")
        if near and (key in f"pcie{plain}" or key.removeprefix("rtx") in plain.split("gb")[0]):
            found.append((len(key), name))
    if found:
        return {"gpu": max(found, key=lambda entry: entry[0])[1]}
    if gigabytes is None:
        raise NotExpressibleError(f"GPU {text or 'not named'}: its memory is not stated")
    return {"gpu": text, "gpu_memory": f"{gigabytes} GiB"}
