"""How much time `hbspec evaluate` itself takes for an item: 200 items of an endpoint that answers at once.

    python benchmarks/evaluation.py [--items 200] [--rounds 3]

The endpoint is a process of its own on this machine. Timed is everything that the command does after its imports: the
items, the requests, the file of answers, the scores with their intervals, and the record; the fastest of the rounds, as
other programs on the machine only add to it. The processor's time is that of the command alone. Exit code 1: more than
5 ms an item on the clock.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

from hbspec.evaluation.harness import harness

TESTS = Path(__file__).parents[1] / "tests"
AIM_SECONDS = 0.005
SERVER = """
import sys
from stub_model import stub
with stub() as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


def took(url: str, items: int, folder: Path) -> tuple[float, float]:
    """Seconds of one evaluation, on the clock and of the processor."""
    from stub_model import Sums  # type: ignore[import-not-found]  # of the tests

    evaluate = harness()
    entry = {"name": "sums", "min_score": 0.9, "seed": 0, "items": items}
    place = folder / "record.json"
    began, processor = perf_counter(), process_time()
    wanted = evaluate.wanted_suites([entry], lambda *_: Sums("right"))
    record = evaluate.evaluated({"name": "job"}, wanted, evaluate.asked_of(evaluate.Way(url)), place)
    evaluate.write_record(place, record)
    seconds = perf_counter() - began, process_time() - processor
    assert record["suites"][0]["kinds"] == {"right": items}
    return seconds


def main() -> int:
    """Print the time of an item, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    sys.path.append(str(TESTS))
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], cwd=TESTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        url, seconds = server.stdout.readline().strip(), []
        for _ in range(given.rounds):
            with tempfile.TemporaryDirectory() as folder:
                seconds.append(took(url, given.items, Path(folder)))
        server.terminate()
    each, processor = (min(ends) / given.items for ends in zip(*seconds, strict=True))
    aim = f"aim {1000 * AIM_SECONDS:.0f} ms"
    print(f"{given.items} items: {1000 * each:.1f} ms each, {aim}; processor {1000 * processor:.1f} ms")
    return int(each > AIM_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
