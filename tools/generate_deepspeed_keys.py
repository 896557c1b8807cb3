"""Generate `src/hbspec/catalog/data/deepspeed.json`, the keys of DeepSpeed's configuration, from DeepSpeed's source.

    pip download --no-deps --no-binary :all: deepspeed==0.19.8 -d FOLDER
    python tools/generate_deepspeed_keys.py FOLDER/deepspeed-0.19.8.tar.gz            # write
    python tools/generate_deepspeed_keys.py FOLDER/deepspeed-0.19.8.tar.gz --check    # exit 1 if the file differs

The source is parsed, not imported: DeepSpeed needs torch. A section is a class that derives from
`DeepSpeedConfigModel`, which refuses unknown keys; the top level is what functions of `param_dict` read, and an unknown
key there is ignored.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

DATA = Path(__file__).resolve().parents[1] / "src" / "hbspec" / "catalog" / "data" / "deepspeed.json"
READERS = ("runtime", "profiling", "monitor", "comm", "utils", "autotuning", "compile", "datastates")
"""Folders of DeepSpeed that read the configuration."""
SECTIONS: Mapping[str, str] = {
    "zero_optimization": "DeepSpeedZeroConfig",
    "bf16": "DeepSpeedBF16Config",
    "bfloat16": "DeepSpeedBF16Config",
    "fp16": "DeepSpeedFP16Config",
    "compile": "CompileConfig",
    "hybrid_engine": "HybridEngineConfig",
    "tensorboard": "TensorBoardConfig",
    "wandb": "WandbConfig",
    "csv_monitor": "CSVConfig",
    "comet": "CometConfig",
    "comms_logger": "CommsLoggerConfig",
    "tensor_parallel": "TPTrainingConfig",
}
"""Sections whose class the source does not name beside the key."""
ALSO = ("sequence_parallel_size",)
"""Keys of the top level that are read under another name than `param_dict`."""
TYPES = {"bool": "boolean", "int": "integer", "float": "number", "str": "string", "Path": "string"}
BOUNDS = ("gt", "ge", "lt", "le")


class Source:
    """DeepSpeed's source: classes and constants by name, and the functions that read the top level."""

    def __init__(self, archive: Path) -> None:
        self.classes: dict[str, ast.ClassDef] = {}
        self.constants: dict[str, str] = {}
        self.functions: dict[str, ast.FunctionDef] = {}
        for tree in _modules(archive):
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    self.classes.setdefault(node.name, node)
            for node in tree.body:
                if isinstance(node, ast.FunctionDef):
                    self.functions.setdefault(node.name, node)
            self.constants |= dict(_strings(tree))

    def document(self, version: str) -> dict[str, Any]:
        """The whole file."""
        sections: dict[str, dict[str, Any]] = {}
        top = {key: {"section": SECTIONS[key]} if key in SECTIONS else {} for key in sorted(self._top_level())}
        for name in sorted({*SECTIONS.values()}):
            self._section(name, sections)
        removed = {
            name.removeprefix("_REMOVED_").removesuffix("_CONFIG_KEYS").lower(): sorted(keys)
            for name, keys in self._removed()
        }
        about = f"DeepSpeed {version} (Apache-2.0), by tools/generate_deepspeed_keys.py. Do not edit."
        return {"source": about, "top": top, "sections": sections, "removed": removed}

    def _section(self, name: str, found: dict[str, dict[str, Any]]) -> None:
        fields: dict[str, Any] = found.setdefault(name, {})
        for node in self.classes[name].body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                described, alias = self._field(node, found)
                fields |= dict.fromkeys(filter(None, (node.target.id, alias)), described)

    def _field(self, node: ast.AnnAssign, found: dict[str, dict[str, Any]]) -> tuple[dict[str, Any], str | None]:
        described = self._type(node.annotation, found)
        call = node.value if isinstance(node.value, ast.Call) else None
        words = {word.arg: word.value for word in call.keywords} if call else {}
        bounds = {name: ast.literal_eval(words[name]) for name in BOUNDS if name in words}
        alias = ast.literal_eval(words["alias"]) if "alias" in words else None
        return {**described, **bounds}, alias

    def _type(self, node: ast.expr, found: dict[str, dict[str, Any]]) -> dict[str, Any]:
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "Optional":
            return {**self._type(node.slice, found), "optional": True}
        name = node.id if isinstance(node, ast.Name) else ""
        if name in TYPES:
            return {"type": TYPES[name]}
        definition = self.classes.get(name)
        if definition is None:
            return {}
        bases = {base.id for base in definition.bases if isinstance(base, ast.Name)}
        if "Enum" in bases:
            values = (one.value for one in definition.body if isinstance(one, ast.Assign))
            return {"choices": sorted({ast.literal_eval(value) for value in values})}
        if "DeepSpeedConfigModel" not in bases:
            return {}
        if name not in found:
            self._section(name, found)
        return {"section": name}

    def _top_level(self) -> set[str]:
        """The keys that `DeepSpeedConfig` reads, and every function and class that it hands the whole mapping to."""
        keys, seen = {*SECTIONS, *ALSO}, set()
        waiting: list[ast.AST] = [self.classes["DeepSpeedConfig"]]
        while waiting:
            for node in ast.walk(waiting.pop()):
                keys |= set(self._read(node))
                name = _called(node) if isinstance(node, ast.Call) and any(map(_is_top, node.args)) else None
                callee = self.functions.get(name or "") or self.classes.get(name or "")
                if callee is not None and name not in seen:
                    seen.add(name)
                    waiting.append(callee)
        return keys

    def _read(self, node: ast.AST) -> Iterator[str]:
        """The keys that an expression reads from the top level."""
        names: list[ast.expr | None] = []
        if isinstance(node, ast.Call) and len(node.args) > 1 and _is_top(node.args[0]):
            names = [node.args[1]]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            names = [node.args[0]] if _is_top(node.func.value) else []
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
            names = [node.left] if _is_top(node.comparators[0]) else []
        elif isinstance(node, ast.Subscript) and _is_top(node.value):
            names = [node.slice]
        elif isinstance(node, ast.FunctionDef) and any(one.arg == "comm_type" for one in node.args.args):
            names = list(node.args.defaults[:1])
        yield from filter(None, map(self._string, names))

    def _string(self, node: ast.expr | None) -> str | None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        return self.constants.get(node.id) if isinstance(node, ast.Name) else None

    def _removed(self) -> Iterator[tuple[str, Iterable[str]]]:
        for name, text in self.constants.items():
            if name.startswith("_REMOVED_") and name.endswith("_CONFIG_KEYS"):
                yield name, json.loads(text)


def _modules(archive: Path) -> Iterator[ast.Module]:
    """The modules that read the configuration, in the order of their paths."""
    with tarfile.open(archive) as files:
        members = sorted((one for one in files.getmembers() if one.name.endswith(".py")), key=lambda one: one.name)
        for member in members:
            parts = PurePosixPath(member.name).parts
            content = files.extractfile(member)
            if parts[1] == "deepspeed" and parts[2] in READERS and content is not None:
                yield ast.parse(content.read())


def _strings(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Constants that are strings, and of tables of removed keys a JSON list of the keys."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name, value = node.targets[0].id, node.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield name, value.value
            elif isinstance(value, ast.Dict) and name.startswith("_REMOVED_"):
                yield name, json.dumps([ast.literal_eval(key) for key in value.keys if key is not None])


def _called(node: ast.Call) -> str | None:
    return node.func.id if isinstance(node.func, ast.Name) else None


def _is_top(node: ast.AST) -> bool:
    """Whether an expression is the whole configuration, which DeepSpeed calls `param_dict`."""
    inner = node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "keys":
        inner = node.func.value
    if isinstance(inner, ast.Attribute):
        return inner.attr == "_param_dict"
    return isinstance(inner, ast.Name) and inner.id == "param_dict"


def main() -> int:
    """Write the file, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archive", type=Path, help="deepspeed-VERSION.tar.gz")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the committed file differs")
    options = parser.parse_args()
    version = options.archive.name.removeprefix("deepspeed-").removesuffix(".tar.gz")
    text = json.dumps(Source(options.archive).document(version), indent=1, sort_keys=True) + "\n"
    if options.check:
        return int(text != DATA.read_text(encoding="utf-8"))
    DATA.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
