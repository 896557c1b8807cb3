"""A grid of small programs, measured on the GPU at hand: facts for the fits, and fixtures for the allocator's replay.

    python benchmarks/gpu.py --output measured_here [--seconds 480] [--only NAME]...

Each program is the compiled job of a spec, measured as `hbspec measure` does (`hbspec.measure`): with random weights,
and with rows that first become longer and longer. The programs need at most 20 GB of a GPU with 24 GB or more. Written
to the output folder, after every program, so that a run that is ended early has its results:

- `facts.csv`: a row a program, with the columns of the public measurements that the fits use, and what was predicted.
- `records.json`: the record of each program, as a spec can name it.
- `streams/NAME.json.gz`: what the allocator was asked for and which segments it opened, in the form that
  `tests/estimators/test_recorded_streams.py` replays; only of programs whose whole history was kept.

The times are those of jobs whose allocator keeps its history, which takes the host about a microsecond a request. What
was in use on the GPU before is asked once, at the start. A program is started only while there is time for it, the most
different ones first; those that were left out are named.
This has not run on a GPU yet: its tests run two programs on a CPU, where no memory of a GPU is known.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import pickle
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hbspec.api import InvalidSpecError
from hbspec.catalog import catalog
from hbspec.measure import Measured, MeasureError, measure
from hbspec.measure.gpus import MachineAtHand
from hbspec.measure.measurement import at_hand_or_refused
from hbspec.measure.observer import SNAPSHOT_ENTRIES

SECONDS = 480.0
"""Of all programs together."""
LEAST_SECONDS, MOST_SECONDS, BEFORE_SECONDS = 40.0, 120.0, 15.0
"""Without which no program is started, after which one is stopped, and what its weights and data take before."""

QWEN, LLAMA, QWEN3 = "Qwen/Qwen2.5-0.5B", "meta-llama/Llama-3.2-1B", "Qwen/Qwen3-0.6B"
UNEVEN = {"mean": 300, "max": 1000}


class Program(NamedTuple):
    """A job of the grid.

    Attributes:
        name: of its row and its files.
        model: its id in the catalog, or the path of a config.json.
        method: as in a spec.
        tokens: mean and longest length of the examples.
        batch: rows of a micro-batch.
        changes: other hyperparameters.
    """

    name: str
    model: str
    method: str
    tokens: Mapping[str, int]
    batch: int
    changes: Mapping[str, Any] = {}


def alike(length: int) -> Mapping[str, int]:
    """Rows of one length."""
    return {"mean": length, "max": length}


GRID = (
    Program("lora-uneven", QWEN, "lora", UNEVEN, 4),
    Program("qlora-uneven", LLAMA, "qlora", UNEVEN, 4),
    Program("full-short", QWEN, "full", alike(512), 4),
    Program("qlora-long", LLAMA, "qlora", alike(4096), 2),
    Program("lora-standard-loss", QWEN, "lora", alike(1024), 4, {"loss": "standard"}),
    Program("lora-without-checkpointing", QWEN, "lora", alike(1024), 4, {"gradient_checkpointing": False}),
    Program("full-8bit", LLAMA, "full", alike(1024), 2, {"optim": "adamw_8bit"}),
    Program("lora-packed", QWEN, "lora", UNEVEN, 2, {"packing": True}),
    Program("lora-accumulated", QWEN, "lora", UNEVEN, 2, {"gradient_accumulation_steps": 8}),
    Program("qlora-eager", QWEN, "qlora", UNEVEN, 4, {"attn_implementation": "eager"}),
    Program("lora-tiny-rows", QWEN, "lora", alike(64), 1),
    Program("lora-wide", LLAMA, "lora", alike(1024), 16),
    Program("lora-rank-128", QWEN3, "lora", alike(1024), 4, {"lora_r": 128}),
    Program("qlora-paged", QWEN3, "qlora", alike(1024), 4, {"optim": "paged_adamw_8bit"}),
    Program("qlora-int8", QWEN, "qlora", alike(1024), 4, {"bnb_quant_type": "int8"}),
    Program("lora-float16", QWEN, "lora", alike(1024), 4, {"fp16": True}),
    Program("full-uneven", QWEN, "full", UNEVEN, 4),
    Program("lora-reentrant", QWEN, "lora", alike(1024), 4, {"use_reentrant": True}),
    Program("lora-dora", QWEN, "lora", alike(512), 4, {"use_dora": True}),
    Program("lora-long", QWEN3, "lora", alike(8192), 1),
)


def spec_of(program: Program) -> dict[str, Any]:
    """The spec of a program; on which GPU it runs, the machine decides."""
    known = program.model in catalog().models
    return {
        "hbspec": 1,
        "name": program.name,
        "model": {"id": program.model} if known else {"id": program.name, "config": program.model},
        "data": {"train": {"examples": 10_000}, "tokens": dict(program.tokens)},
        "instance": {"gpu": "A10G", "gpus": 1, "parallelism": "single"},
        "hyperparameters": {
            "method": program.method,
            "learning_rate": 1e-4,
            "max_steps": 1000,
            "per_device_batch_size": program.batch,
            "max_length": program.tokens["max"],
            **program.changes,
        },
    }


def config_of(program: Program) -> dict[str, Any]:
    """The config.json of a program's model."""
    if program.model in catalog().models:
        return catalog().models.config(program.model)
    found: dict[str, Any] = json.loads(Path(program.model).read_text(encoding="utf-8"))
    return found


def run(programs: Sequence[Program], output: Path, seconds: float, *, on_cpu: bool) -> tuple[list[dict[str, Any]], ...]:
    """Measure as many programs as there is time for.

    Args:
        programs: in the order of their worth.
        output: the folder for what is found.
        seconds: for all of them together.
        on_cpu: whether to measure the CPU.

    Returns:
        A row for each program that was started, and a name and a reason for each that was not.

    Raises:
        MeasureError: PyTorch sees no GPU, and the CPU was not asked for.
    """
    (output / "streams").mkdir(parents=True, exist_ok=True)
    machine = at_hand_or_refused(on_cpu=on_cpu)
    deadline, rows, left = time.monotonic() + seconds, list[dict[str, Any]](), list[dict[str, Any]]()
    records: dict[str, Any] = {}
    for program in programs:
        remaining = deadline - time.monotonic()
        if remaining < min(LEAST_SECONDS, seconds):
            left.append({"id": program.name, "reason": "no time was left"})
            continue
        try:
            limit = min(max(remaining - BEFORE_SECONDS, BEFORE_SECONDS), MOST_SECONDS)
            found = _measure(program, output, limit, machine)
        except (InvalidSpecError, MeasureError) as reason:
            print(f"{program.name}: {reason}", flush=True)
            rows.append({"id": program.name, "failed": str(reason).partition("\n")[0]})
        else:
            records[program.name] = found.record
            rows.append(fact(program, found))
            print("\n".join(lines(rows[-1])), flush=True)
        _write(output, rows, records)
    return rows, left


def _measure(program: Program, output: Path, limit: float, machine: MachineAtHand) -> Measured:
    with tempfile.TemporaryDirectory(prefix="hbspec-") as folder:
        work, snapshot = Path(folder) / "work", Path(folder) / "snapshot.pickle"
        work.mkdir()
        found = measure(
            spec_of(program),
            work,
            config=config_of(program),
            on_cpu=not machine.gpus,
            on=machine,
            limit=limit,
            snapshot=snapshot if machine.gpus else None,
        )
        if snapshot.is_file():
            with snapshot.open("rb") as file:
                stream = stream_of(pickle.load(file))
            if stream is not None:
                told = {"source": f"benchmarks/gpu.py, {program.name}", "software": found.record["software"], **stream}
                with gzip.open(output / "streams" / f"{program.name}.json.gz", "wt") as file_:
                    json.dump(told, file_, separators=(",", ":"))
    return found


ACTIONS = {"alloc": "alloc", "free_completed": "free", "segment_alloc": "open", "segment_free": "close"}
"""What torch calls what the recorded streams tell."""


def stream_of(snapshot: Mapping[str, Any]) -> dict[str, Any] | None:
    """The requests of the first GPU from the start of its process; None if the history does not reach back to it."""
    trace: Sequence[Mapping[str, Any]] = next((events for events in snapshot["device_traces"] if events), [])
    if not trace or len(trace) >= SNAPSHOT_ENTRIES:
        return None
    events = [[ACTIONS[event["action"]], event["addr"], event["size"]] for event in trace if event["action"] in ACTIONS]
    return {"segments_at_start": [], "blocks_in_use_at_start": [], "events": events}


def fact(program: Program, measured: Measured) -> dict[str, Any]:
    """The row of a program: what it was, what was seen, what was predicted, and whether that holds."""
    record, plan = measured.record, measured.estimates.plan
    found, predicted, training = record["found"], record["predicted"] or {}, plan.training
    device: Mapping[str, Any] = next(iter(found["devices"]), {})
    seconds = [update["seconds"] for update in found["updates"]]
    seen = {
        "peak_allocated_bytes": device.get("allocated_bytes"),
        "peak_reserved_bytes": device.get("reserved_bytes"),
        "process_bytes": device.get("process_bytes"),
        "tokens_per_s_per_gpu": found["tokens_per_second_per_gpu"],
        "step_time_s": sum(seconds) / len(seconds) if seconds else None,
    }
    foreseen: Mapping[str, Any] = next(iter(predicted.get("devices") or ()), {})
    believed = {
        **{name: foreseen.get(name.removeprefix("peak_")) for name in list(seen)[:3]},
        "tokens_per_s_per_gpu": predicted.get("tokens_per_second_per_gpu"),
        "step_time_s": predicted.get("step_seconds"),
    }
    return {
        "id": program.name,
        "model_id": program.model,
        "method": training.method,
        "quant": training.quantization,
        "compute_dtype": training.compute_dtype,
        "optimizer": training.optim,
        "lora_r": training.lora_r,
        "seq_len": record["rows"]["longest"],
        "tokens_per_micro_batch": record["rows"]["tokens"],
        "micro_batch": training.micro_batch,
        "grad_accum": training.gradient_accumulation,
        "gradient_checkpointing": training.gradient_checkpointing,
        "attention": training.attention,
        "loss": training.loss,
        "packing": training.packing,
        "gpu": record["place"]["gpu"],
        "driver": record["place"]["driver"],
        "software": " ".join(f"{name}={version}" for name, version in record["software"].items()),
        "oom": found["ran_out"],
        **seen,
        **{f"{name}_{end}": (interval or {}).get(end) for name, interval in believed.items() for end in ENDS},
        **{f"{name}_inside": _inside(seen[name], interval) for name, interval in believed.items()},
    }


ENDS = ("low", "expected", "high")


def _inside(value: float | None, interval: Mapping[str, float] | None) -> bool | None:
    """Whether a figure lies in the interval that was predicted; None where one of them is not known."""
    return None if value is None or interval is None else interval["low"] <= value <= interval["high"]


def lines(row: Mapping[str, Any]) -> Iterable[str]:
    """A row in words: each figure that was seen, beside what was predicted."""
    yield f"{row['id']} on {row['gpu']}" + (f": ran out of memory {row['oom']}" if row["oom"] else "")
    for name in [name.removesuffix("_inside") for name in row if name.endswith("_inside")]:
        if row[name] is None:
            continue
        low, expected, high = (row[f"{name}_{end}"] for end in ENDS)
        said = "nothing predicted" if expected is None else f"predicted {expected:.4g} ({low:.4g} to {high:.4g})"
        yield f"  {name:<22} {row[name]:>12.4g}  {said}{'' if row[f'{name}_inside'] is not False else '  OUTSIDE'}"


def _write(output: Path, rows: Sequence[Mapping[str, Any]], records: Mapping[str, Any]) -> None:
    """Everything that was found so far, each file whole."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    beside = output / "facts.part"
    with beside.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, names)
        table.writeheader()
        table.writerows(rows)
    beside.replace(output / "facts.csv")
    beside.write_text(json.dumps(records, indent=1), encoding="utf-8")
    beside.replace(output / "records.json")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the grid, and print how many figures lie in their intervals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("measured_here"), help="the folder to write to")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for all programs together")
    parser.add_argument("--only", action="append", help="the name of a program; can be repeated")
    parser.add_argument("--on-cpu", action="store_true", help="measure the CPU, which takes far longer")
    options = parser.parse_args(arguments)
    chosen = [program for program in GRID if not options.only or program.name in options.only]
    try:
        rows, left = run(chosen, options.output, options.seconds, on_cpu=options.on_cpu)
    except MeasureError as reason:
        parser.error(str(reason))
    for name in ("peak_allocated_bytes", "peak_reserved_bytes", "process_bytes", "step_time_s"):
        judged = [row[f"{name}_inside"] for row in rows if row.get(f"{name}_inside") is not None]
        print(f"{name}: {sum(judged)} of {len(judged)} inside")
    for entry in left:
        print(f"{entry['id']}: {entry['reason']}")
    return 0 if any("failed" not in row for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
