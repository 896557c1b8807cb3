"""How long `hbspec check` takes, as a ratio to a process that does next to nothing, measured in the same run.

    python benchmarks/speed.py [--rounds 15] [SPEC]

Every round starts each program once, one after the other, so that whatever else the machine does hits all of them;
a ratio is the median of the rounds' ratios. Everything runs from bytecode, as pip leaves an installed package. Beside
it: two validators of YAML files of the same length, and what one estimate takes once Python runs.
"""

from __future__ import annotations

import argparse
import compileall
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
BASELINE = "PyYAML and a pydantic model of three fields"
BASELINE_CODE = """
import yaml
from pydantic import BaseModel
class Model(BaseModel):
    name: str
    rank: int
    rate: float
Model.model_validate(yaml.safe_load("name: x\\nrank: 16\\nrate: 0.5\\n"))
"""
AIM = 1.3


def programs(spec: Path, folder: Path) -> dict[str, list[str]]:
    """What is compared, by name; the baseline comes first and `hbspec check` second."""
    schema = folder / "hbspec.schema.json"
    schema.write_bytes(subprocess.run([BIN / "hbspec", "schema"], capture_output=True, check=True).stdout)
    template = folder / "template.yaml"
    template.write_text(cloudformation(len(spec.read_text().splitlines())))
    return {
        BASELINE: [sys.executable, "-c", BASELINE_CODE],
        "hbspec check": [str(BIN / "hbspec"), "check", str(spec)],
        "hbspec estimate": [str(BIN / "hbspec"), "estimate", str(spec)],
        "Python alone": [sys.executable, "-c", "pass"],
        "check-jsonschema": [str(BIN / "check-jsonschema"), "--schemafile", str(schema), str(spec)],
        "cfn-lint": [str(BIN / "cfn-lint"), str(template)],
    }


def cloudformation(lines: int) -> str:
    """A valid template of so many lines: topics with a name each."""
    text = ["AWSTemplateFormatVersion: '2010-09-09'", "Resources:"]
    for number in range((lines - len(text)) // 4):
        text += [f"  Topic{number}:", "    Type: AWS::SNS::Topic"]
        text += ["    Properties:", f"      TopicName: topic-{number}"]
    text += ["# so that the length is the same"] * (lines - len(text))
    return "\n".join(text) + "\n"


def seconds(command: Sequence[str]) -> float:
    """Wall time of one process from its start to its end."""
    start = perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return perf_counter() - start


def measure(commands: dict[str, list[str]], rounds: int) -> dict[str, list[float]]:
    """Seconds of every round by program; one round more is run first and forgotten."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            took = seconds(command)
            if number:
                taken[name].append(took)
    return taken


def table(taken: dict[str, list[float]]) -> None:
    """Median time of each, and the median of its ratios to the baseline's time in the same round."""
    base = taken[BASELINE]
    print(f"{'whole process':<45}{'median':>10}{'ratio':>8}{'low':>8}{'high':>8}")
    for name, times in taken.items():
        ratios = sorted(time / other for time, other in zip(times, base, strict=True))
        low, high = ratios[len(ratios) // 4], ratios[3 * len(ratios) // 4]
        print(f"{name:<45}{1000 * median(times):>7.0f} ms{median(ratios):>8.2f}{low:>8.2f}{high:>8.2f}")


def in_process(spec: Path) -> None:
    """What the parts of one estimate take once everything is imported and the catalog is read."""
    from datetime import date

    from hbspec.analysis import analyse
    from hbspec.api import check, estimate
    from hbspec.catalog import catalog
    from hbspec.estimators.job.cost import cost
    from hbspec.estimators.job.time import time
    from hbspec.estimators.serving.endpoint import serving
    from hbspec.estimators.training.memory import memory
    from hbspec.source import load
    from hbspec.spec import Spec, read

    document = load(spec)
    typed = read(document)
    if not isinstance(typed, Spec):
        sys.exit(f"{spec} is not a valid spec")
    analysis = analyse(document, typed, catalog(), date(2026, 1, 1))
    plan, endpoint = analysis.plan, analysis.serving_plan

    def estimates() -> None:
        memory(plan)
        cost(plan, time(plan))
        serving(endpoint)

    print(f"\n{'in a running Python':<45}{'median':>10}")
    for name, call in (
        ("memory, time, cost and serving of a plan", estimates),
        ("hbspec.estimate(spec)", lambda: estimate(spec)),
        ("hbspec.check(spec)", lambda: check(spec)),
    ):
        print(f"{name:<45}{1000 * _repeated(call):>7.2f} ms")


def _repeated(call: Callable[[], object], times: int = 100) -> float:
    call()
    taken = []
    for _ in range(times):
        start = perf_counter()
        call()
        taken.append(perf_counter() - start)
    return median(taken)


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", nargs="?", type=Path, default=ROOT / "specs/heartbeat.yaml")
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    compileall.compile_dir(ROOT / "src", quiet=2)
    with tempfile.TemporaryDirectory() as folder:
        commands = programs(asked.spec, Path(folder))
        lines = len(asked.spec.read_text().splitlines())
        print(f"{asked.rounds} rounds, files of {lines} lines; low and high are the quartiles of the ratio\n")
        table(measure(commands, asked.rounds))
    print(f"\nThe aim for `hbspec check` is a ratio of {AIM} or less.")
    in_process(asked.spec)


if __name__ == "__main__":
    main()
