"""Runs the `train.py` beside it, and writes down what its updates took: a program of its own, for one rank.

    HBSPEC_OBSERVED=FOLDER python observer.py --METHOD lora …     # all arguments are the script's
    python observer.py --probe                                    # prints the GPUs that PyTorch sees

Nothing of the job is changed but the order of its rows: as they stand in the data, and not shuffled. What was seen is
in `rank-N.json` after every update, so that a job that ends early has said what it took until then. Exit code 75: the
job ran out of memory, and the file says where.

hbspec copies this file into the folder of a compiled job, and imports nothing of it that needs torch. `Gpus` is the
only place that asks a GPU for memory.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

FOLDER = "HBSPEC_OBSERVED"
"""The variable that names the folder to write to."""

SNAPSHOT = "HBSPEC_SNAPSHOT"
"""The variable that names a file for the history of the allocator of the first rank, if it is wanted."""
SNAPSHOT_ENTRIES = 2_000_000

RAN_OUT = 75
PROBE = "--probe"

PACKAGES = ("torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate", "deepspeed", "liger-kernel")


class Gpus:
    """The GPUs of this process, as torch.cuda counts them."""

    def __init__(self) -> None:
        import torch

        self._cuda = torch.cuda
        self._process: dict[int, int] = {}

    def wait(self) -> None:
        """Wait until all that was launched is done."""
        for index in self._used():
            self._cuda.synchronize(index)

    def _used(self) -> list[int]:
        """The GPUs that this process uses; the others are not asked more, which would take memory of each."""
        return [index for index in range(self._cuda.device_count()) if self._cuda.max_memory_allocated(index)]

    def sample(self) -> list[dict[str, Any]]:
        """What each GPU that this process uses holds at most so far.

        A process is what is in use on the GPU, which counts others too. The allocator gives segments back only where
        memory is short, so that the most is in use with the most reserved.
        """
        found = []
        for index in self._used():
            free, total = self._cuda.mem_get_info(index)
            reserved = self._cuda.max_memory_reserved(index)
            in_use = total - free + max(0, reserved - self._cuda.memory_reserved(index))
            self._process[index] = max(self._process.get(index, 0), min(in_use, total))
            found.append(
                {
                    "index": index,
                    "total_bytes": total,
                    "allocated_bytes": self._cuda.max_memory_allocated(index),
                    "reserved_bytes": reserved,
                    "process_bytes": self._process[index],
                }
            )
        return found

    def record(self) -> None:
        """Begin to keep the history of the allocator."""
        self._cuda.init()
        self._cuda.memory._record_memory_history(context=None, max_entries=SNAPSHOT_ENTRIES)

    def snapshot(self, file: str) -> None:
        """Write the history of the allocator."""
        self._cuda.memory._dump_snapshot(file)


class NoGpus:
    """A process without a GPU: nothing is waited for, and nothing is known of a GPU's memory."""

    def wait(self) -> None:
        """Nothing."""

    def sample(self) -> list[dict[str, Any]]:
        """No GPU."""
        return []

    def record(self) -> None:
        """Nothing."""

    def snapshot(self, file: str) -> None:
        """Nothing."""


class Observation:
    """What one rank saw, in its file.

    Args:
        folder: where the file is written.
    """

    def __init__(self, folder: Path) -> None:
        self._place = folder / f"rank-{os.environ.get('RANK', '0')}.json"
        self._device: Gpus | NoGpus = NoGpus()
        self._phase, self._mark = "while loading", time.monotonic()
        self._batches: list[tuple[int, int, Any]] = []
        self._updates: list[dict[str, Any]] = []
        self._ran_out: str | None = None

    def attach(self) -> None:
        """Take the place of the script's trainer and watch; torch is imported for it."""
        import counting
        import torch
        import trainers
        from torch.utils.data import SequentialSampler

        self._device = Gpus() if torch.cuda.is_available() else NoGpus()
        if SNAPSHOT in os.environ and os.environ.get("RANK", "0") == "0":
            self._device.record()
        observed = self

        def in_order(before: Any) -> Any:
            class InOrder(before):  # type: ignore[misc]  # the script's own, which is not typed here
                def _get_train_sampler(self, train_dataset: Any = None) -> Any:
                    return SequentialSampler(self.train_dataset if train_dataset is None else train_dataset)

                def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
                    observed.micro_batch(inputs)
                    return super().training_step(model, inputs, num_items_in_batch)

            return InOrder

        class Timed(counting.Watch):
            def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
                super().on_train_begin(args, state, control, **more)
                observed.begin()

            def on_step_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
                super().on_step_begin(args, state, control, **more)
                observed.begin_update()

            def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
                super().on_step_end(args, state, control, **more)
                observed.end_update()

        vars(counting).update(Watch=Timed)
        usual = vars(trainers)["BEFORE"]
        usual.update({task: in_order(before) for task, before in usual.items()})

    def begin(self) -> None:
        """The model is loaded, and training begins."""
        self._device.wait()
        self._write()
        self._mark = time.monotonic()

    def begin_update(self) -> None:
        """An update is about to be computed."""
        self._phase = f"in update {len(self._updates) + 1}"

    def micro_batch(self, inputs: dict[str, Any]) -> None:
        """A micro-batch is about to be computed; its real tokens are counted without waiting for the GPU."""
        rows, length = inputs["input_ids"].shape
        mask = inputs.get("attention_mask")
        self._batches.append((rows, length, rows * length if mask is None else mask.sum()))

    def end_update(self) -> None:
        """An update is done."""
        self._device.wait()
        now = time.monotonic()
        self._updates.append(
            {
                "seconds": now - self._mark,
                "tokens": sum(rows * length for rows, length, _ in self._batches),
                "real_tokens": sum(int(real) for _, _, real in self._batches),
                "rows": sum(rows for rows, _, _ in self._batches),
                "squares": sum(rows * length**2 for rows, length, _ in self._batches),
                "longest": max((length for _, length, _ in self._batches), default=0),
            }
        )
        self._batches.clear()
        self._write()
        self._phase = f"after update {len(self._updates)}, in an evaluation or a save"
        self._mark = time.monotonic()

    def end(self) -> None:
        """The job is done."""
        self._phase = "at the end"
        self._write()
        if SNAPSHOT in os.environ and os.environ.get("RANK", "0") == "0":
            self._device.snapshot(os.environ[SNAPSHOT])

    def run_out(self) -> None:
        """The job has run out of memory."""
        self._ran_out = self._phase
        self._write()

    def _write(self) -> None:
        from resource import RUSAGE_SELF, getrusage

        unit = 1 if sys.platform == "darwin" else 1024
        told = {
            "software": versions(),
            "devices": self._device.sample(),
            "host_bytes": getrusage(RUSAGE_SELF).ru_maxrss * unit,
            "updates": self._updates,
            "ran_out": self._ran_out,
        }
        beside = self._place.with_suffix(".part")
        beside.write_text(json.dumps(told), encoding="utf-8")
        beside.replace(self._place)


def versions() -> dict[str, str]:
    """The installed versions of what trains."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def is_out_of_memory(reason: BaseException) -> bool:
    """Whether an exception says that a GPU has no memory left: torch's own, or that of a library that it calls."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(reason, torch.OutOfMemoryError):
        return True
    text = str(reason).lower()
    of_cuda = "cuda" in text and "out of memory" in text
    return isinstance(reason, RuntimeError) and (of_cuda or "status_alloc_failed" in text)


def probe() -> dict[str, Any]:
    """The GPUs that PyTorch sees, in a process that ends at once: the question takes memory of each."""
    import torch

    seen = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    gpus = [torch.cuda.get_device_properties(index) for index in seen]
    return {
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "gpus": [
            {"name": gpu.name, "total_bytes": gpu.total_memory, "uuid": str(getattr(gpu, "uuid", ""))} for gpu in gpus
        ],
    }


def main(arguments: Sequence[str]) -> int:
    """Run the script, and return its exit code, or `RAN_OUT`."""
    if list(arguments) == [PROBE]:
        sys.stdout.write(f"{json.dumps(probe())}\n")
        return 0
    import leaving
    import train

    observation = Observation(Path(os.environ[FOLDER]))
    choose = train._choose_devices

    def choose_and_attach(invocation: Any) -> None:
        choose(invocation)
        observation.attach()

    vars(train)["_choose_devices"] = choose_and_attach
    try:
        code = train.main(arguments)
    except Exception as reason:
        if not is_out_of_memory(reason):
            raise
        sys.stderr.write(f"observer.py: {str(reason).partition(chr(10))[0]}\n")
        observation.run_out()
        leaving.finish()
        return RAN_OUT
    observation.end()
    leaving.finish()
    return code


if __name__ == "__main__":
    ended = main(sys.argv[1:])
    if ended == RAN_OUT:  # other ranks wait for this one in a collective, in which the interpreter's end would hang
        sys.stderr.flush()
        os._exit(ended)
    sys.exit(ended)
