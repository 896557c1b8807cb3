"""Generate `src/hbspec/frontends/known/torchtune.json`, the keys of torchtune's recipes, from its repository.

    git clone https://github.com/pytorch/torchtune FOLDER && git -C FOLDER checkout COMMIT
    python tools/generate_torchtune_fields.py FOLDER            # write
    python tools/generate_torchtune_fields.py FOLDER --check    # exit 1 if the file differs

A bare repository will do. The sources are parsed, not imported. A key is what a recipe that trains reads of its
configuration (`cfg.epochs`, `cfg.get("compile")`), or what a shipped configuration of one has at its top. Inside
`model`, `tokenizer`, `checkpointer`, `profiler` and `loss` it is an argument of one of torchtune's own components.
`builders` are the functions that build a whole model, with the sizes that they give.
"""

from __future__ import annotations

import argparse
import ast
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import yaml

COMMIT = "bd2a0fc7c31430972728494fa01aaeeb0ebf1ba1"
PINNED = Path(__file__).resolve().parents[1] / "src" / "hbspec" / "frontends" / "known" / "torchtune.json"
RECIPES = ("recipes/", "torchtune/training/checkpointing/_checkpoint_client.py")
NOT_TRAINED = ("generate", "eval", "quantize", "generation", "evaluation", "quantization")
CONFIGURATION = ("cfg", "self._cfg")
MODELS = "torchtune/models/"
SECTIONS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "tokenizer": (MODELS, lambda name: name.endswith(("_tokenizer", "_transform"))),
    "checkpointer": ("torchtune/training/checkpointing/_checkpointer.py", lambda name: name.endswith("Checkpointer")),
    "profiler": ("torchtune/training/_profiler.py", lambda name: name == "setup_torch_profiler"),
    "loss": ("torchtune/modules/loss/", lambda name: name.endswith("Loss")),
}
OF_PREFERENCES: tuple[str, Callable[[str], bool]] = ("torchtune/rlhf/loss/dpo.py", lambda name: name == "DPOLoss")
SIZES = ("vocab_size", "num_layers", "num_heads", "num_kv_heads", "embed_dim", "intermediate_dim")
FAMILIES = ("model_builders", "component_builders")
OTHER_MODELS = tuple(f"{MODELS}{name}/" for name in ("clip", "flux", "t5"))
"""Which no recipe trains."""


def _git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True, text=True).stdout


def _texts(folder: Path, *starts: str) -> Iterator[tuple[str, str]]:
    for name in _git(folder, "ls-tree", "-r", "--name-only", COMMIT, *starts).splitlines():
        if name.endswith((".py", ".yaml")):
            yield name, _git(folder, "show", f"{COMMIT}:{name}")


def _trains(name: str) -> bool:
    return not any(part.startswith(NOT_TRAINED) for part in Path(name).stem.split("_"))


def _read_keys(tree: ast.Module) -> Iterator[str]:
    """Keys that a recipe takes of its configuration, at the top."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in CONFIGURATION and node.attr != "get":
            yield node.attr
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {f"{name}.get" for name in CONFIGURATION}:
            first = node.args[0]
            yield str(first.value) if isinstance(first, ast.Constant) else "profiler"  # `PROFILER_KEY`


def _arguments(node: ast.FunctionDef) -> list[str]:
    given = [*node.args.args, *node.args.kwonlyargs]
    return [one.arg for one in given if one.arg not in ("self", "dtype")]


def _made(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    """Functions and classes with the arguments that make them."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, _arguments(node)
        if isinstance(node, ast.ClassDef):
            for line in node.body:
                if isinstance(line, ast.FunctionDef) and line.name == "__init__":
                    yield node.name, _arguments(line)


def _nested(texts: Mapping[str, str]) -> Iterator[str]:
    for name, text in texts.items():
        if not name.endswith(".py"):
            continue
        made = dict(_made(ast.parse(text)))
        for section, (start, wanted) in {**SECTIONS, "loss ": OF_PREFERENCES}.items():
            if name.startswith(start):
                for one, given in made.items():
                    if wanted(one):
                        yield from (f"{section.strip()}.{argument}" for argument in ("_component_", *given))
        if name.startswith(MODELS) and Path(name).stem.lstrip("_") in FAMILIES:
            for one, given in made.items():
                if not one.endswith(("_tokenizer", "_transform", "_mlp", "_attention", "_encoder")):
                    yield from (f"model.{argument}" for argument in ("_component_", *given))


def _builders(texts: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """The functions that build a whole model of one size, without those that add adapters."""
    found: dict[str, dict[str, int]] = {}
    for name, text in texts.items():
        if not name.startswith(MODELS) or not name.endswith("_model_builders.py"):
            continue
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("lora_"):
                calls = (line.value for line in node.body if isinstance(line, ast.Return))
                for call in calls:
                    sizes = _sizes(call) if isinstance(call, ast.Call) else {}
                    if "num_layers" in sizes and "vocab_size" in sizes:
                        found[node.name] = sizes
    for name, text in texts.items():  # `llama3_3_70b = llama3_1_70b`
        if name.startswith(MODELS) and name.endswith("_model_builders.py"):
            for node in ast.parse(text).body:
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id in found:
                    found[ast.unparse(node.targets[0])] = found[node.value.id]
    return dict(sorted(found.items()))


def _sizes(call: ast.Call) -> dict[str, int]:
    given = {one.arg: one.value for one in call.keywords}
    written = {key: value.value for key in SIZES if isinstance(value := given.get(key), ast.Constant)}
    return {key: size for key, size in written.items() if isinstance(size, int)}


def main() -> int:
    """Writes the file, or with `--check` returns 1 where it differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a clone of the repository")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file differs")
    asked = parser.parse_args()
    sources = {start for start, _ in SECTIONS.values()} | {OF_PREFERENCES[0], MODELS, *RECIPES}
    found = _texts(asked.folder, *sorted(sources))
    texts = {name: text for name, text in found if not name.startswith(OTHER_MODELS)}
    fields, digest = set(_nested(texts)), sha256()
    for name, text in sorted(texts.items()):
        digest.update(f"{name}\n{text}".encode())
        if not name.startswith(RECIPES) or not _trains(name):
            continue
        fields.update(_read_keys(ast.parse(text)) if name.endswith(".py") else yaml.safe_load(text))
    content = {
        "package": "torchtune",
        "version": COMMIT,
        "sha256": digest.hexdigest(),
        "source": f"https://github.com/pytorch/torchtune/tree/{COMMIT}/recipes",
        "fields": sorted(fields),
        "builders": _builders(texts),
    }
    text = json.dumps(content, indent=1) + "\n"
    if asked.check:
        return int(not PINNED.is_file() or PINNED.read_text(encoding="utf-8") != text)
    PINNED.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
