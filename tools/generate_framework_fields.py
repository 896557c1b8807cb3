"""Generate `src/hbspec/frontends/known/*.json`, the keys that training frameworks know, from their own wheels.

    pip download --no-deps axolotl==0.19.0 llamafactory==0.9.5 trl==1.16.0 transformers==5.23.0 -d FOLDER
    pip download --no-deps transformers==5.6.0 accelerate==1.15.0 -d FOLDER
    pip download --no-deps sagemaker==2.257.7 sagemaker-train==1.27.0 sagemaker-core==2.27.0 -d FOLDER
    python tools/generate_framework_fields.py FOLDER            # write
    python tools/generate_framework_fields.py FOLDER --check    # exit 1 if a file differs

The sources are parsed, not imported: they need GPUs and torch. A field is an annotated name in the body of a class, of
a dataclass or of a pydantic model, with its alias if it has one; classes inherit the fields of their bases by name.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

FIELDS = Path(__file__).resolve().parents[1] / "src" / "hbspec" / "frontends" / "known"
ARGUMENTS = ("transformers/training_args.py", "transformers/training_args_seq2seq.py")
ESTIMATORS = tuple(f"sagemaker/{name}estimator.py" for name in ("", "huggingface/", "pytorch/"))
TRAINERS = ("sagemaker/train/model_trainer.py", "sagemaker/train/distributed.py")
CONFIGS = ("sagemaker/core/training/configs.py", "sagemaker/core/shapes/shapes.py")
SHAPES = {"Compute": "ResourceConfig", "Networking": "VpcConfig"}
"""Classes of the service's model that those of `PARTS` extend, where they have another name."""
PARTS = (
    "SourceCode",
    "Compute",
    "StoppingCondition",
    "InputData",
    "OutputDataConfig",
    "CheckpointConfig",
    "Networking",
)


class Wheel(NamedTuple):
    """One wheel: its package, its version, its digest, and its Python files by name."""

    package: str
    version: str
    digest: str
    files: Mapping[str, str]

    @property
    def pinned(self) -> dict[str, str]:
        """What a file of fields says of its source."""
        source = f"https://pypi.org/project/{self.package}/{self.version}/"
        return {"package": self.package, "version": self.version, "sha256": self.digest, "source": source}


class Classes:
    """The classes of some files by name, with the annotated names of their bodies."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.nodes: dict[str, ast.ClassDef] = {}
        for text in texts:
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ClassDef):
                    self.nodes.setdefault(node.name, node)

    def arguments(self, name: str) -> list[str]:
        """The arguments of a class's `__init__`, in their order."""
        made = next((line for line in self.nodes[name].body if getattr(line, "name", "") == "__init__"), None)
        return [given.arg for given in made.args.args[1:]] if isinstance(made, ast.FunctionDef) else []

    def fields(self, name: str, below: frozenset[str] = frozenset()) -> set[str]:
        """The fields of a class and of its bases; a base with the name of a class `below` is one of another file."""
        node = self.nodes.get(name)
        if node is None or name in below:
            return set()
        own = {field for line in node.body for field in _names(line)}
        bases = (ast.unparse(base).rpartition(".")[2] for base in node.bases)
        return own.union(*(self.fields(base, below | {name}) for base in bases))


def _names(line: ast.stmt) -> Iterator[str]:
    """The name of a field, and its alias."""
    if not isinstance(line, ast.AnnAssign) or not isinstance(line.target, ast.Name):
        return
    if "ClassVar" in ast.unparse(line.annotation) or line.target.id.startswith("_"):
        return
    yield line.target.id
    if isinstance(line.value, ast.Call):
        for word in line.value.keywords:
            if word.arg == "alias" and isinstance(word.value, ast.Constant):
                yield str(word.value.value)


def _wheels(folder: Path) -> dict[tuple[str, str], Wheel]:
    found: dict[tuple[str, str], Wheel] = {}
    for path in sorted(folder.glob("*.whl")):
        package, version, *_ = path.name.split("-")
        with ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".py") and _is_read(name)]
            files = {name: archive.read(name).decode() for name in names}
        found[package, version] = Wheel(package, version, sha256(path.read_bytes()).hexdigest(), files)
    return found


def _is_read(name: str) -> bool:
    parts = ("axolotl/utils/schemas/", "axolotl/integrations/", "llamafactory/hparams/", "trl/trainer/", "trl/scripts/")
    more = (*ARGUMENTS, "accelerate/commands/config/config_args.py")
    of_sagemaker = (*ESTIMATORS, "sagemaker/inputs.py", *TRAINERS, *CONFIGS)
    return name.startswith(parts) or name in (*more, *of_sagemaker)


def _axolotl(wheel: Wheel) -> dict[str, Any]:
    schemas = Classes([text for name, text in wheel.files.items() if "/schemas/" in name])
    plugins = Classes([text for name, text in wheel.files.items() if name.endswith("/args.py")])
    fields = schemas.fields("AxolotlInputConfig")
    for name in plugins.nodes:
        if name.endswith("Args"):
            fields |= plugins.fields(name)
    return {**wheel.pinned, "fields": sorted(fields)}


def _llamafactory(wheel: Wheel, transformers: Wheel) -> dict[str, Any]:
    texts = [text for name, text in wheel.files.items() if "/hparams/" in name]
    ours = Classes([*texts])
    groups = ("ModelArguments", "DataArguments", "FinetuningArguments", "GeneratingArguments")
    own = set[str]().union(*(ours.fields(group) for group in groups))
    trained = Classes([transformers.files[name] for name in ARGUMENTS]).fields("Seq2SeqTrainingArguments")
    more = set[str]().union(
        *(ours.fields(group) for group in ("RayArguments", "Fp8Arguments", "ProfilerArguments", "TrainingArguments"))
    )
    also = {"transformers": transformers.pinned}
    return {**wheel.pinned, "also": also, "fields": sorted(own | trained | more)}


def _trl(wheel: Wheel, transformers: Wheel) -> dict[str, Any]:
    classes = Classes([*wheel.files.values(), *(transformers.files[name] for name in ARGUMENTS)])
    scripts = ("ScriptArguments", "ModelConfig", "DatasetMixtureConfig")
    shared = set[str]().union(*(classes.fields(name) for name in scripts))
    tasks = {
        name.removesuffix("Config").lower(): sorted(classes.fields(name) - classes.fields("SFTConfig") - shared)
        for name in sorted(classes.nodes)
        if name in ("DPOConfig", "GRPOConfig", "KTOConfig", "RewardConfig", "RLOOConfig")
    }
    fields = sorted(shared | classes.fields("SFTConfig") | {"config", "env", "accelerate_config"})
    return {**wheel.pinned, "also": {"transformers": transformers.pinned}, "fields": fields, "tasks": tasks}


def _accelerate(wheel: Wheel) -> dict[str, Any]:
    classes = Classes([wheel.files["accelerate/commands/config/config_args.py"]])
    fields = classes.fields("ClusterConfig") | classes.fields("SageMakerConfig")
    return {**wheel.pinned, "fields": sorted(fields)}


def _sagemaker(wheel: Wheel, train: Wheel, core: Wheel) -> dict[str, Any]:
    """By class: arguments of estimators (2.x) in their order, then those of their bases; fields of 3.x's classes."""
    old = Classes([wheel.files[name] for name in (*ESTIMATORS, "sagemaker/inputs.py")])
    shared = [*old.arguments("Framework"), *old.arguments("EstimatorBase")]
    made = {name: list(dict.fromkeys([*old.arguments(name), *shared])) for name in ("HuggingFace", "PyTorch")}
    made |= {name: old.arguments(name) for name in ("Estimator", "TrainingInput")}
    new, shapes = Classes([*(train.files[name] for name in TRAINERS), core.files[CONFIGS[0]]]), core.files[CONFIGS[1]]
    model = Classes([shapes])
    made |= {name: sorted(new.fields(name)) for name in ("ModelTrainer", "Torchrun", "MPI", "SMP")}
    made |= {name: sorted(new.fields(name) | model.fields(SHAPES.get(name, name))) for name in PARTS}
    return {**wheel.pinned, "also": {of.package: of.pinned for of in (train, core)}, "classes": made}


def main() -> int:
    """Writes the files, or with `--check` returns 1 where one differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder with the wheels")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file differs")
    asked = parser.parse_args()
    wheels = _wheels(asked.folder)
    newest = wheels["transformers", "5.23.0"]
    made = {
        "axolotl": _axolotl(wheels["axolotl", "0.19.0"]),
        "llamafactory": _llamafactory(wheels["llamafactory", "0.9.5"], wheels["transformers", "5.6.0"]),
        "trl": _trl(wheels["trl", "1.16.0"], newest),
        "accelerate": _accelerate(wheels["accelerate", "1.15.0"]),
        "sagemaker": _sagemaker(
            wheels["sagemaker", "2.257.7"], wheels["sagemaker_train", "1.27.0"], wheels["sagemaker_core", "2.27.0"]
        ),
    }
    differ = 0
    for name, content in made.items():
        path, text = FIELDS / f"{name}.json", json.dumps(content, indent=1) + "\n"
        if asked.check:
            differ |= not path.is_file() or path.read_text() != text
        else:
            path.write_text(text)
    return int(differ)


if __name__ == "__main__":
    sys.exit(main())
