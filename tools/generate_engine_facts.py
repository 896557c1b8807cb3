"""Generate `src/hbspec/catalog/data/engines/*.json`, what serving engines accept, from checkouts of their source.

    pip download --no-deps vllm==0.30.0 -d FOLDER, and unpack the wheel: it holds the Python source
    python tools/generate_engine_facts.py vllm FOLDER --version 0.30.0 --checked 2026-11-30
    git clone https://github.com/deepjavalibrary/djl-serving
    python tools/generate_engine_facts.py lmi djl-serving --checked 2026-11-30
    git clone https://github.com/aws/deep-learning-containers
    python tools/generate_engine_facts.py sagemaker-vllm deep-learning-containers --checked 2026-11-30

A checkout may be a git directory without a work tree. Every file has the repository, the commit and the digests of the
files that were read. The source is parsed and not imported: it needs CUDA, or Java.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from engine_sources import Checkout, Classes

DATA = Path(__file__).resolve().parents[1] / "src" / "hbspec" / "catalog" / "data" / "engines"
REPOSITORIES = {
    "vllm": "https://github.com/vllm-project/vllm",
    "lmi": "https://github.com/deepjavalibrary/djl-serving",
    "sagemaker-vllm": "https://github.com/aws/deep-learning-containers",
}
QUANTIZATION = "vllm/model_executor/layers/quantization/__init__.py"
SERVERS = ("vllm/entrypoints/launchers/cli_args.py", "vllm/entrypoints/openai/cli_args.py")
"""Where the server's own arguments are, by release."""
PROPERTIES = "engines/python/setup/djl_python/properties_manager"
HANDLER = "engines/python/setup/djl_python/lmi_vllm/vllm_async_service.py"
JAVA = (
    "engines/python/src/main/java/ai/djl/python/engine/PyModel.java",
    "wlm/src/main/java/ai/djl/serving/wlm/ModelInfo.java",
    "wlm/src/main/java/ai/djl/serving/wlm/LmiConfigRecommender.java",
)
"""The files of the Java side that read options of a model."""


def vllm(source: Checkout) -> dict[str, Any]:
    """Every argument of vLLM's server by its name on the command line, and what adapters it refuses."""
    engine = source.tree("vllm/engine/arg_utils.py")
    server = source.tree(next(path for path in SERVERS if (source.root / path).is_file()))
    trees = [source.tree(path) for path in source.names("vllm/config")]
    classes = Classes([*trees, source.tree(QUANTIZATION), engine, server])
    found, of_server = dict(_arguments(engine, classes)), dict(_arguments(server, classes))
    for name, field in classes.fields("FrontendArgs"):
        of_server[_flag(name)] = classes.argument(name, field.annotation, field.value)
    helper = source.tree("vllm/lora/peft_helper.py")
    tests = [ast.unparse(node.test) for node in ast.walk(helper) if isinstance(node, ast.If)]
    refused = {
        name for test in tests for name in re.findall(r"^self\.(modules_to_save|use_\w+|bias)(?: != 'none')?$", test)
    }
    refused -= {"use_rslora"}  # only scales
    return {
        "arguments": dict(sorted((found | of_server).items())),
        "of_the_server": sorted(set(of_server) - set(found)),
        "refused_adapters": sorted(refused),
    }


def _flag(name: str) -> str:
    return name.replace("_", "-")


def _arguments(tree: ast.Module, classes: Classes) -> Iterator[tuple[str, dict[str, Any]]]:
    """The calls of `add_argument`: those that take the keywords of a field, and those that say their own."""
    owners = {
        ast.unparse(node.targets[0]): ast.unparse(node.value.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) == "get_kwargs"
    }  # fmt: skip
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not ast.unparse(node.func).endswith("add_argument"):
            continue
        names = [str(one.value) for one in node.args if isinstance(one, ast.Constant)]
        given = next((one.value for one in node.keywords if one.arg is None), None)
        if isinstance(given, ast.Dict):  # the keywords of a field, with another default
            given = given.values[0]
        for name in (name for name in names if name.startswith("--")):
            if isinstance(given, ast.Subscript):
                field = ast.literal_eval(given.slice)
                annotated = dict(classes.fields(owners[ast.unparse(given.value)]))[field]
                yield name[2:], classes.argument(field, annotated.annotation, annotated.value)
            else:
                yield name[2:], _spelt_out(node)


def _spelt_out(node: ast.Call) -> dict[str, Any]:
    """An argument with keywords of its own."""
    said = {one.arg: one.value for one in node.keywords if one.arg}
    action = ast.unparse(said["action"]) if "action" in said else ""
    if action == "'store_true'":
        return {"kind": "flag", "only": True}
    if action.endswith("BooleanOptionalAction"):
        return {"kind": "flag"}
    kind = ast.unparse(said["type"]) if "type" in said else "str"
    found: dict[str, Any] = {"kind": kind if kind in ("int", "float", "str") else "str"}
    if "choices" in said and isinstance(said["choices"], ast.List):
        found["choices"] = ast.literal_eval(said["choices"])
    return found


def lmi(source: Checkout) -> dict[str, Any]:
    """The options of LMI's vLLM handler: what both of its property classes take, and what they refuse."""
    trees = [source.tree(f"{PROPERTIES}/{name}.py") for name in ("properties", "hf_properties", "vllm_rb_properties")]
    common, usual, vllm_own = trees
    classes = Classes(trees)
    options: dict[str, dict[str, Any]] = {}
    aliases: dict[str, str] = {}
    for owner in ("HuggingFaceProperties", "VllmRbProperties"):
        for name, field in classes.fields(owner):
            options[name] = classes.argument(name, field.annotation) | {"default": _default(field.value)}
            for alias in re.findall(r"alias='(\w+)'", ast.unparse(field.value or ast.Constant(None))):
                aliases[alias] = name
    handler, java = source.text(HANDLER), "".join(source.text(path) for path in JAVA)
    read = {*re.findall(r'properties(?:\.get\(|\[)"(\w+)"', handler), *re.findall(r'"option\.(\w+)"', java)}
    read |= set(re.findall(r'case "(\w+)":', java)) - {"env"}
    requirements = source.text("serving/docker/lmi-container-requirements.txt")
    dockerfile = source.text("serving/docker/lmi.Dockerfile")
    return {
        "options": dict(sorted(options.items())),
        "aliases": aliases,
        "read_elsewhere": sorted(read - set(options)),
        "rolling_batch": _members(common, "RollingBatchEnum"),
        "dtypes": [sorted(_compared(usual, "get_torch_dtype_from_str")), sorted(_keys(vllm_own, "DTYPE_MAPPER"))],
        "conflicts": _conflicts(vllm_own),
        "adapters": _adapters(source.text(JAVA[1])),
        "packages": sorted(set(re.findall(r"^([A-Za-z][\w.-]*)(?!.*://)", requirements, re.MULTILINE))),
        "vllm": next(iter(re.findall(r"vllm(?:-|==)(\d+\.\d+\.\d+)", requirements)), None),
        "model_loading_timeout": int(re.findall(r"MODEL_LOADING_TIMEOUT=(\d+)", dockerfile)[0]),
    }


def _default(value: ast.expr | None) -> Any:
    try:
        return ast.literal_eval(value) if value is not None else None
    except ValueError:
        return None


def _members(tree: ast.Module, name: str) -> list[str]:
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name).body
    return [ast.literal_eval(node.value) for node in body if isinstance(node, ast.Assign)]


def _compared(tree: ast.Module, name: str) -> set[str]:
    """The texts that a function compares its argument with."""
    (function,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    compared = (node.comparators[0] for node in ast.walk(function) if isinstance(node, ast.Compare))
    return {one.value for one in compared if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def _keys(tree: ast.Module, name: str) -> set[str]:
    return set(ast.literal_eval(Classes([tree]).aliases[name]))


def _conflicts(tree: ast.Module) -> dict[str, str]:
    """Options of LMI beside which it refuses vLLM's own name with another value, by vLLM's name."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and len(node.args) == 2]
    pairs = [node.args for node in calls if ast.unparse(node.func) == "validate_potential_lmi_vllm_config_conflict"]
    return {ast.literal_eval(theirs): ast.literal_eval(own) for own, theirs in pairs}


def _adapters(java: str) -> dict[str, str]:
    """The folder in the model's folder where adapters are looked for, and the option that switches it on."""
    option, folder = re.findall(r'getOrDefault\("(\w+_lora)"', java), re.findall(r'resolve\("(adapters)"\)', java)
    return {"option": option[0], "folder": folder[0]}


def sagemaker_vllm(source: Checkout) -> dict[str, Any]:
    """How AWS's entry point makes arguments of variables."""
    tree = source.tree("scripts/docker/vllm/sagemaker_args.py")
    names = Classes([tree]).aliases
    whole = names["SINGLE_TOKEN_FLAGS"]
    found = {key.lower(): ast.literal_eval(names[key]) for key in ("PREFIX", "MODEL_DIR", "DEFAULT_PORT")}
    flags = sorted(ast.literal_eval(whole.args[0])) if isinstance(whole, ast.Call) else []
    return {**found, "one_token": [flag.removeprefix("--") for flag in flags]}


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=sorted(REPOSITORIES))
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--version", help="the release of vLLM")
    parser.add_argument("--checked", type=date.fromisoformat, required=True, help="the day, YYYY-MM-DD")
    told = parser.parse_args()
    source = Checkout(told.checkout)
    facts = {"vllm": vllm, "lmi": lmi, "sagemaker-vllm": sagemaker_vllm}[told.engine](source)
    head = {
        "repository": REPOSITORIES[told.engine],
        "commit": source.commit,
        **({"version": told.version} if told.version else {}),
        "checked": told.checked.isoformat(),
        "files": dict(sorted(source.read.items())),
    }
    name = f"{told.engine}-{told.version}" if told.version else told.engine
    DATA.mkdir(exist_ok=True)
    (DATA / f"{name}.json").write_text(_text({**head, **facts}), encoding="utf-8")


def _text(content: dict[str, Any]) -> str:
    """JSON with one line for an entry of a mapping, and for any other value."""
    lines = []
    for key, value in content.items():
        if isinstance(value, dict):
            entries = [f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in value.items()]
            lines.append(f"{json.dumps(key)}: {{\n" + ",\n".join(entries) + "\n}")
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    main()
