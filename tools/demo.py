"""A tour of hbspec on the HeartBeat specs: check, estimate, compile, and a rehearsal of the training on the CPU."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
OUT = ROOT / "build" / "demo"
BIN = Path(sys.executable).parent


def hbspec(*words: str, expect: int) -> None:
    """Run one command as a user types it, and exit unless its exit code is `expect`."""
    print(f"\n$ hbspec {' '.join(words)}", flush=True)
    done = subprocess.run([BIN / "hbspec", *words], cwd=ROOT, check=False)
    if done.returncode != expect:
        sys.exit(f"demo: hbspec {words[0]} ended with {done.returncode}, expected {expect}")


def main() -> None:
    """Run the tour, in the order in which a newcomer would take it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with train.jsonl and validation.jsonl")
    data = parser.parse_args().data
    print("1. The plan as written in its document: what is wrong with it?")
    hbspec("check", "specs/heartbeat-as-written.yaml", expect=1)
    print("\n2. The corrected plan: its memory, time and cost.")
    hbspec("check", "specs/heartbeat.yaml", expect=0)
    hbspec("estimate", "specs/heartbeat.yaml", expect=0)
    print("\n3. Compiled into a SageMaker job and an endpoint.")
    for target in ("sagemaker", "deployment"):
        hbspec("compile", "specs/heartbeat.yaml", "--target", target, "-o", str(OUT / target), expect=0)
    print("\n4. A rehearsal: the compiled command trains a few updates with two processes on this CPU.")
    files: list[str] = []
    if data and (data / "train.jsonl").is_file():
        files = ["--train", str(data / "train.jsonl"), "--validation", str(data / "validation.jsonl")]
    hbspec("smoke", "specs/heartbeat.yaml", "--ranks", "2", "-o", str(OUT / "smoke"), *files, expect=0)
    print(f"\nEverything is under {OUT}.")


if __name__ == "__main__":
    main()
