"""Generate `src/hbspec/frontends/known/hyperpod.json`, the keys of HyperPod's public recipes, from their repository.

    git clone https://github.com/aws/sagemaker-hyperpod-recipes FOLDER && git -C FOLDER checkout COMMIT
    python tools/generate_hyperpod_fields.py FOLDER            # write
    python tools/generate_hyperpod_fields.py FOLDER --check    # exit 1 if the file differs

A bare repository will do. Recipes of COMMIT are read as data, and with them those that EARLIER had and COMMIT does not:
the ones of the adapter of NeMo. Keys inside a mapping are named with those above it, down to mappings in `WHOLE`,
which a front end passes over as a whole.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

COMMIT, EARLIER = "263199555b2e1f8eb9b17459892e440f3242b5d9", "c0c8a28^"
FOLDER = "recipes_collection/recipes"
PINNED = Path(__file__).resolve().parents[1] / "src" / "hbspec" / "frontends" / "known" / "hyperpod.json"
KINDS = ("llm_finetuning_aws", "verl", "hf")
WHOLE = (
    "scale_config",
    "training_config.mlflow",
    "training_config.profiler",
    "training_config.checkpoint",
    "training_config.model_config.generation_cfg",
    "training_config.data.apply_chat_template_kwargs",
)


def _git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True, text=True).stdout


def _recipes(folder: Path, commit: str) -> Iterator[tuple[str, str]]:
    for name in _git(folder, "ls-tree", "-r", "--name-only", commit, FOLDER).splitlines():
        if name.endswith(".yaml"):
            yield name, _git(folder, "show", f"{commit}:{name}")


def _keys(values: dict[str, Any], above: str = "") -> Iterator[str]:
    for key, value in values.items():
        name = f"{above}{key}"
        yield name
        if isinstance(value, dict) and name not in WHOLE:
            yield from _keys(value, f"{name}.")


def _is_read(values: dict[str, Any]) -> bool:
    """Whether a recipe is for supervised tuning or DPO by a program that is read."""
    kind = (values.get("run") or {}).get("model_type")
    inside = values.get("training_config") or {}
    engine = (inside.get("engine") or {}).get("_target_", "")
    return kind in KINDS and "actor_rollout_ref" not in inside and "Mcore" not in engine


def main() -> int:
    """Writes the file, or with `--check` returns 1 where it differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a clone of the repository")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file differs")
    asked = parser.parse_args()
    fields, digest = set[str](), sha256()
    for commit in (COMMIT, EARLIER):
        for name, text in _recipes(asked.folder, commit):
            values = yaml.safe_load(text)
            if _is_read(values):
                digest.update(f"{name}\n{text}".encode())
                fields.update(_keys(values))
    content = {
        "package": "sagemaker-hyperpod-recipes",
        "version": COMMIT,
        "sha256": digest.hexdigest(),
        "source": f"https://github.com/aws/sagemaker-hyperpod-recipes/tree/{COMMIT}/{FOLDER}",
        "also": EARLIER,
        "fields": sorted(fields | {"instance_type", "defaults"}),
    }
    text = json.dumps(content, indent=1) + "\n"
    if asked.check:
        return int(not PINNED.is_file() or PINNED.read_text(encoding="utf-8") != text)
    PINNED.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
