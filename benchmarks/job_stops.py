"""How soon the shipped script ends after SIGTERM: what it still does, and how long each part takes.

    python benchmarks/job_stops.py [--micro-batch 10]

A tiny model is trained on a CPU. The signal comes at the beginning of a micro-batch within an update, the worst moment:
that micro-batch is finished, the last finished update is saved, and the process ends. Exit code 1: another micro-batch
was begun, or not exactly one checkpoint was saved.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
SETTINGS = {
    "MODEL_ID": "Qwen/Qwen2.5-7B-Instruct",
    "METHOD": "lora",
    "LEARNING_RATE": "1e-4",
    "PER_DEVICE_BATCH_SIZE": "2",
    "GRADIENT_ACCUMULATION_STEPS": "4",
    "MAX_LENGTH": "256",
    "MAX_STEPS": "50",
    "SAVE_STEPS": "100",
}
DRIVER = """
import os, signal, sys, time
sys.path.insert(0, {templates!r})
import counting, leaving, train
trainer, begun = counting.Counting, []

def told(what):
    with open({events!r}, "a") as stream:
        stream.write(f"{{what}} {{time.monotonic()}}\\n")

def timed(name, original):
    def call(self, *arguments, **named):
        begun.append(name)
        if begun.count("training_step") == {number} and name == "training_step":
            told("signal")
            os.kill(os.getpid(), signal.SIGTERM)
        told(f"begin {{name}}")
        try:
            return original(self, *arguments, **named)
        finally:
            told(f"end {{name}}")
    return call

for name in ("training_step", "_save_checkpoint"):
    setattr(trainer, name, timed(name, getattr(trainer, name)))
leaving.end(train.main(sys.argv[1:]))
"""


def events_of(folder: Path, number: int) -> list[tuple[str, float]]:
    """What happened when, in seconds: of each micro-batch and save its beginning and its end, the signal, and the end.

    Raises:
        RuntimeError: the job fails.
    """
    sys.path.insert(0, str(ROOT / "tests/templates"))
    sys.path.insert(0, str(ROOT / "tests"))
    from training_bench import Bench, sums  # type: ignore[import-not-found]  # where the tests run a job

    bench, events, driver = Bench(folder), folder / "events", folder / "driver.py"
    bench.write(SETTINGS, sums(96))
    driver.write_text(DRIVER.format(templates=str(ROOT / "templates"), events=str(events), number=number))
    words = [sys.executable, str(driver), *bench.arguments]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=bench.environment)
    ended = time.monotonic()
    if done.returncode:
        raise RuntimeError(done.stderr)
    if json.loads((folder / "output/run.json").read_text())["stopped_by"] != "SIGTERM":
        raise RuntimeError("the job was not stopped")
    lines = [line.rpartition(" ") for line in events.read_text().splitlines()]
    return [*((what, float(moment)) for what, _, moment in lines), ("end", ended)]


def main() -> int:
    """Print what was done after the signal, and return 1 if that is more than a micro-batch and a save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--micro-batch", type=int, default=10)
    with tempfile.TemporaryDirectory() as name:
        events = events_of(Path(name), parser.parse_args().micro_batch)
    at = [what for what, _ in events].index("signal")
    before, after = events[:at], events[at:]
    usual = median(there - here for (what, here), (_, there) in pairwise(before) if what == "begin training_step")
    moments = dict(after)
    counted = [what for what, _ in after].count
    begun, saved = counted("begin training_step") - 1, counted("end _save_checkpoint")
    save = moments.get("end _save_checkpoint", 0.0) - moments.get("begin _save_checkpoint", 0.0)
    rest = moments["end"] - moments["end training_step"] - save
    print(f"micro-batches begun after that of the signal: {begun}")
    print(f"checkpoints saved: {saved}")
    print(f"the micro-batch: {moments['end training_step'] - moments['signal']:.3f} s (usual: {usual:.3f} s)")
    print(f"the save: {save:.3f} s")
    print(f"everything else, to the end of the process: {rest:.3f} s")
    return int(begun != 0 or saved != 1)


if __name__ == "__main__":
    raise SystemExit(main())
