"""Where each millisecond of a cold `hbspec check` goes: CPU time by stage, the median of several fresh processes.

    python benchmarks/where_time_goes.py [--rounds 7] [SPEC]

The stages follow one another in one process, each after what it needs, so that they add up. What `check` does lazily
is done here at its first need. The first two stages are what `benchmarks/speed.py` calls its baseline.
"""

from __future__ import annotations

import argparse
import compileall
import json
import subprocess
import sys
from pathlib import Path
from statistics import median

from speed import BASELINE_CODE, ROOT

CHILD = """
import json, sys
from time import process_time

taken, last = {}, 0.0
def stage(name):
    global last
    now = process_time()
    taken[name], last = now - last, now

stage("Python starts")
exec(BASELINE)
stage("PyYAML, pydantic and a model of three fields")
import hbspec.cli, hbspec.cli.check, hbspec.cli.outcome
stage("import of the command line")
import hbspec.source
stage("import of the parser")
import hbspec.spec
stage("import of the spec's models")
import hbspec.catalog
stage("import of the catalog")
import hbspec.api
stage("import of plans, estimators and the rest")
from hbspec.rules.engine import all_rules, findings_of, place
from hbspec.rules.judge import judge
all_rules()
stage("import of the rules")
document = hbspec.source.load(SPEC)
stage("parsing")
typed = hbspec.spec.read(document)
stage("validation, with pydantic's schema built")
from datetime import date
analysis = hbspec.api.analyse(document, typed, hbspec.catalog.catalog(), date.today())
analysis.plan, analysis.serving_plan
stage("reading the catalog, and the plan")
from hbspec.diagnostics import NotKnownError
def known(name):
    try:
        return getattr(analysis, name)
    except NotKnownError:
        return None
known("memory_verdict")
stage("whether it fits")
watched = analysis.spec.monitoring and analysis.spec.monitoring.gpu_memory
if watched or any(key.startswith("training.memory") for key in analysis.spec.expect):
    known("memory")
stage("the reserve, replayed, where an alarm or a claim hangs on it")
known("time"), known("cost"), known("serving")
stage("time, cost and serving")
judge(analysis)
stage("the rules")
print(json.dumps(taken))
"""


def taken(spec: Path) -> dict[str, float]:
    """Seconds of CPU by stage, in one fresh process."""
    code = f"BASELINE = {BASELINE_CODE!r}\nSPEC = {str(spec)!r}\n{CHILD}"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return dict(json.loads(found.stdout))


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", nargs="?", type=Path, default=ROOT / "specs/heartbeat.yaml")
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    compileall.compile_dir(ROOT / "src", quiet=2)
    rounds = [taken(asked.spec) for _ in range(asked.rounds + 1)][1:]
    stages = {name: 1000 * median(one[name] for one in rounds) for name in rounds[0]}
    baseline = sum(list(stages.values())[:2])
    print(f"{'CPU time by stage':<66}{'ms':>8}{'of baseline':>13}")
    for name, milliseconds in stages.items():
        print(f"{name:<66}{milliseconds:>8.1f}{milliseconds / baseline:>13.2f}")
    print(f"{'together':<66}{sum(stages.values()):>8.1f}{sum(stages.values()) / baseline:>13.2f}")


if __name__ == "__main__":
    main()
