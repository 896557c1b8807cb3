"""What the specs compile to, kept beside the tests so that a change of it is seen in a diff.

    python tests/endtoend/golden.py     # write it again, to be read before it is committed

Names and prefixes hold a digest of the request and of the source, which changes with every line of the script; it is
masked here, and `tests/targets/test_compile_identity.py` computes it. The source itself is in `templates/`.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from hbspec.api import check, compile_spec
from hbspec.plan.training_job import DIGEST_LENGTH
from hbspec.targets import names, target_of
from hbspec.targets.lowering.artifact import Artifact

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").glob("*.yaml"))
GOLDEN = Path(__file__).with_name("golden")
SOURCE = "source/"
DIGEST = re.compile(rf"\b[0-9a-f]{{{DIGEST_LENGTH}}}\b")
SECTIONS = {"monitoring": "monitoring"}
"""The section without which a target has nothing to compile, where it is not `deployment`."""
UNSAID = {
    "axolotl": {
        "": ["software.adapter_dtype=float32"],
        "\nmonitoring:": ["monitoring=null"],
        "parallelism: pipeline": ["instance.parallelism=ddp"],
    },
    "hyperpod": {"max_wait:": ["instance.spot=false", "instance.max_wait=null"]},
    "kubeflow": {"max_wait:": ["instance.spot=false", "instance.max_wait=null"]},
    "llamafactory": {
        "": ["hyperparameters.loss=standard", "software.adapter_dtype=float32"],
        "\nmonitoring:": ["monitoring=null"],
        "parallelism: pipeline": ["instance.parallelism=ddp"],
    },
    "slurm": {"max_wait:": ["instance.spot=false", "instance.max_wait=null"]},
    "trl": {"\nmonitoring:": ["monitoring=null"]},
}
"""What a target refuses: text of a spec by which it is known, and what is set instead."""
PAIRS = [
    (spec, target)
    for spec in SPECS
    for target in names()
    if target_of(target).trains or f"\n{SECTIONS.get(target, 'deployment')}:" in spec.read_text(encoding="utf-8")
]


def compiled(spec: Path, target: str) -> list[Artifact]:
    """The files of a spec, forced where it has errors; an endpoint without its gate, a stack without its A/B test.

    The spec as written has no cases for one of its suites.
    """
    one = ["evaluation=[{suite: mathematical-accuracy, min_score: 0.9}]"] if spec.stem.endswith("-as-written") else []
    alone = one if target == "evaluation" else ["evaluation=[]"]
    alone += ["deployment.ab_test=null"] if target == "cloudformation" else []
    text = spec.read_text(encoding="utf-8")
    alone += [words for said, instead in UNSAID.get(target, {}).items() if said in text for words in instead]
    return compile_spec(spec, target, overrides=alone, force=not check(spec).ok)


def kept(artifacts: list[Artifact]) -> dict[str, str]:
    """The text of each file but the source, with its digests masked."""
    return {file.path: DIGEST.sub("…", file.content.decode()) for file in artifacts if not file.path.startswith(SOURCE)}


def golden(spec: Path, target: str) -> dict[str, str]:
    """The text of each file as it is kept."""
    folder = GOLDEN / spec.stem / target
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


if __name__ == "__main__":
    shutil.rmtree(GOLDEN, ignore_errors=True)
    for spec, target in PAIRS:
        for path, text in kept(compiled(spec, target)).items():
            place = GOLDEN / spec.stem / target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
