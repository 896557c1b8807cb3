"""How long `hbspec watch` takes for a log, and how much memory: of 10,000 and of 1,000,000 lines.

    python benchmarks/watching.py [--rounds 3]

Each log is watched in a process of its own, from its start to the printed page. Of `all metrics` each line is a metric
line with all fields, which no job writes so many of; of `one in ten` the others are a progress bar's. Wall time is the
fastest of the rounds, since other programs on the machine only add to it; so is the processor's time. Memory is the
largest resident size (VmHWM, Linux). Exit code 1: a log of 1,000,000 lines takes more than 5 seconds of the processor,
or its memory is not that of 10,000 lines.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

AIM_SECONDS = 5.0
AIM_MEMORY = 1.1
"""How many times the memory of a short log a long one may take."""
FEW, MANY = 10_000, 1_000_000
SPEC = {
    "hbspec": 1,
    "name": "bot",
    "model": {"id": "Qwen/Qwen2.5-0.5B"},
    "data": {"train": {"examples": 10**7}, "tokens": {"mean": 300, "max": 300}},
    "instance": {"type": "ml.g5.xlarge", "region": "us-east-1", "parallelism": "single", "price": "1.408 USD/h"},
    "hyperparameters": {
        "method": "lora",
        "learning_rate": 2e-4,
        "max_steps": MANY,
        "max_length": 512,
        "per_device_batch_size": 2,
    },
    "monitoring": {
        "loss": {"decreasing_over": "300 steps"},
        "gpu_memory": {"max": "20 GB"},
        "step_time": {"min": "10 ms", "max": "60s"},
        "gradient_norm": {"max": 10},
    },
}
PROGRAM = """
import sys, time
from hbspec.cli import main
code = main(["watch", *sys.argv[1:]])
sys.stdout.flush()
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
sys.stderr.write(f"{code} {time.process_time()} {peak}")
"""
KIBIBYTE = 1024


class Took(NamedTuple):
    """Seconds on the wall and of the processor, and bytes at most."""

    wall: float
    processor: float
    peak: int


def metric(step: int) -> str:
    """A metric line with all fields."""
    return (
        f"hbspec: step={step} loss={2 + 10 / (step + 5):.6g} grad_norm={0.5 + step % 7 / 10:.6g} learning_rate=9.3e-05 "
        f"epoch={step / 50000:.6g} step_seconds={0.4 + step % 13 / 100:.6g} gpu_memory_bytes=12345678901 "
        f"gpu_peak_allocated_bytes=10345678901 gpu_reserved_bytes=11345678901 tokens={500 + step % 100} "
        f"longest={280 + step % 20} unevenness=1.0{step % 9}\n"
    )


def all_metrics(lines: int) -> Iterator[str]:
    """Metric lines only."""
    return map(metric, range(1, lines + 1))


def one_in_ten(lines: int) -> Iterator[str]:
    """A metric line after nine of a progress bar."""
    for number in range(lines):
        yield (
            f" {number}%|####      | {number}/1000000 [1:23:45<2:34:56, 2.41it/s]\n"
            if number % 10
            else metric(number // 10 + 1)
        )


KINDS: dict[str, Callable[[int], Iterator[str]]] = {"all metrics": all_metrics, "one in ten": one_in_ten}


def watch(spec: Path, log: Path) -> Took:
    """What the command takes for a log.

    Raises:
        RuntimeError: it fails.
    """
    words = [sys.executable, "-c", PROGRAM, str(spec), str(log)]
    start = perf_counter()
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    wall = perf_counter() - start
    code, processor, peak = done.stderr.split()[-3:]
    if code not in ("0", "1") or "update" not in done.stdout:
        raise RuntimeError(done.stderr)
    return Took(wall, float(processor), int(peak) * KIBIBYTE)


def main() -> int:
    """Print what each log takes, and return 1 if an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    missed = False
    with tempfile.TemporaryDirectory() as name:
        spec, log = Path(name) / "spec.yaml", Path(name) / "job.log"
        spec.write_text(json.dumps(SPEC), encoding="utf-8")
        for kind, made in KINDS.items():
            peaks = []
            for lines in (FEW, MANY):
                with log.open("w", encoding="utf-8") as stream:
                    stream.writelines(made(lines))
                found = [watch(spec, log) for _ in range(rounds)]
                wall, processor = min(took.wall for took in found), min(took.processor for took in found)
                peaks.append(max(took.peak for took in found))
                size = f"{log.stat().st_size / 1e6:,.0f} MB"
                print(
                    f"{kind:<12} {lines:>9,} lines ({size:>6}): {wall:5.2f} s wall, {processor:5.2f} s processor, "
                    f"{peaks[-1] / 1e6:.1f} MB at most"
                )
            missed = missed or processor > AIM_SECONDS or peaks[1] > AIM_MEMORY * peaks[0]
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
