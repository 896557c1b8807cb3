"""Generate `src/hbspec/targets/aws/requests/*.schema.json` from the AWS API models in botocore.

    python tools/generate_request_schemas.py            # write
    python tools/generate_request_schemas.py --check    # exit 1 if a committed file differs

botocore itself checks only types, unknown or missing members and minima; its models also have enums, patterns and
maxima. The schemas contain all of them, so that a request is validated offline against the service's constraints.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore
from botocore.loaders import Loader

from hbspec.targets.aws.requests.schema import INSTANCE_TYPES

Schema = dict[str, Any]

OPERATIONS: Mapping[str, str] = {
    "CreateEndpoint": "sagemaker",
    "CreateEndpointConfig": "sagemaker",
    "CreateInferenceComponent": "sagemaker",
    "CreateModel": "sagemaker",
    "CreateProcessingJob": "sagemaker",
    "CreateTrainingJob": "sagemaker",
    "PutDashboard": "cloudwatch",
    "PutMetricAlarm": "cloudwatch",
    "PutScalingPolicy": "application-autoscaling",
    "RegisterScalableTarget": "application-autoscaling",
    "UpdateEndpoint": "sagemaker",
    "UpdateEndpointWeightsAndCapacities": "sagemaker",
    "UpdateInferenceComponent": "sagemaker",
}
FOLDER = Path(__file__).resolve().parents[1] / "src" / "hbspec" / "targets" / "aws" / "requests"

# Smithy 2.0, simple types: an integer has 32 bits, a long 64.
INTEGER_RANGE = {"integer": 2**31, "long": 2**63}
# The JSON Schema keywords of the bounds of each kind of shape.
BOUNDS = {
    "string": ("minLength", "maxLength"),
    "list": ("minItems", "maxItems"),
    "map": ("minProperties", "maxProperties"),
    "integer": ("minimum", "maximum"),
    "long": ("minimum", "maximum"),
    "float": ("minimum", "maximum"),
    "double": ("minimum", "maximum"),
}
JSON_TYPES = {
    "string": "string",
    "blob": "string",
    "boolean": "boolean",
    "integer": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "timestamp": "number",
    "list": "array",
    "map": "object",
    "structure": "object",
}


def request_schema(service: str, operation: str) -> Schema:
    """The JSON Schema (draft 2020-12) of one operation's request body, for Python's `re`.

    Raises:
        ValueError: the model has a pattern that cannot be translated.
    """
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    model = loader.load_service_model(service, "service-2")
    shapes, root = model["shapes"], model["operations"][operation]["input"]["shape"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": operation,
        "$comment": f"From botocore {botocore.__version__}, {service} {model['metadata']['apiVersion']} (Apache-2.0),"
        " by tools/generate_request_schemas.py. Do not edit.",
        "$ref": f"#/$defs/{root}",
        "$defs": {name: _definition(shapes, name) for name in sorted(_reachable(shapes, root))},
    }


def _reachable(shapes: Mapping[str, Any], root: str) -> set[str]:
    """The shapes that a request can contain and that have constraints besides their type."""
    found, waiting = {root}, [root]
    while waiting:
        for name in _references(shapes[waiting.pop()]):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return {name for name in found if not _is_plain(shapes[name])}


def _references(shape: Mapping[str, Any]) -> Iterator[str]:
    yield from (member["shape"] for member in shape.get("members", {}).values())
    yield from (shape[part]["shape"] for part in ("member", "key", "value") if part in shape)


def _is_plain(shape: Mapping[str, Any]) -> bool:
    return not {"members", "member", "key", "enum", "pattern", "min", "max"} & set(shape)


def _reference(shapes: Mapping[str, Any], name: str) -> Schema:
    return _definition(shapes, name) if _is_plain(shapes[name]) else {"$ref": f"#/$defs/{name}"}


def _definition(shapes: Mapping[str, Any], name: str) -> Schema:
    """The JSON Schema of one shape of the model."""
    shape = shapes[name]
    kind = shape["type"]
    schema: Schema = {"type": JSON_TYPES[kind]}
    if kind == "structure":
        schema["properties"] = {key: _reference(shapes, value["shape"]) for key, value in shape["members"].items()}
        schema["additionalProperties"] = False
        if shape.get("required"):
            schema["required"] = shape["required"]
        if shape.get("union"):
            schema |= {"minProperties": 1, "maxProperties": 1}
    elif kind == "list":
        schema["items"] = _reference(shapes, shape["member"]["shape"])
    elif kind == "map":
        schema["propertyNames"] = _reference(shapes, shape["key"]["shape"])
        schema["additionalProperties"] = _reference(shapes, shape["value"]["shape"])
    if "enum" in shape and name not in INSTANCE_TYPES:
        schema["enum"] = shape["enum"]
    if kind in INTEGER_RANGE:
        schema |= {"minimum": -INTEGER_RANGE[kind], "maximum": INTEGER_RANGE[kind] - 1}
    for bound, word in zip(("min", "max"), BOUNDS.get(kind, ()), strict=False):
        if bound in shape:
            schema[word] = shape[bound]
    if "pattern" in shape:
        translated = python_pattern(shape["pattern"])
        schema["pattern"] = rf"^(?:{translated})\Z"
        if translated != shape["pattern"]:
            schema["$comment"] = shape["pattern"]
    return schema


# AWS's patterns are java.util.regex, matched against the whole value: \d, \w, \s and POSIX classes mean ASCII there and
# `.` stops at five line terminators (java.util.regex.Pattern, "Predefined character classes", "Line terminators").
# In Python \w also matches every letter and number of Unicode, like [\p{L}\p{N}_] in Java.
LINE_BREAKS = r"\n\r\x85\u2028\u2029"
SPACE = r" \t\n\x0b\f\r"
SEPARATORS = r" \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
ASCII_CLASSES = {r"\d": "0-9", r"\w": "A-Za-z0-9_", r"\s": SPACE, r"\p{Alnum}": "A-Za-z0-9", r"\p{Print}": " -~"}
ASTRAL = (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
TOKEN = re.compile(
    r"(?P<set>\[(?P<not>\^?)(?P<body>(?:\\.|[^\]\\])+)\])|(?P<escape>\\p\{\w+\}|\\.)|(?P<any>\.)|(?P<rest>[^\\])", re.S
)
ITEM = re.compile(r"\\p\{\w+\}|\\[uU][0-9A-F]+|\\.|.", re.S)


def python_pattern(java: str) -> str:
    r"""A Java pattern in Python's syntax; both match the whole value.

    Raises:
        ValueError: a construct whose meaning may differ between the two.

    >>> python_pattern("(https|s3)://([^/]+)/?(.*)")
    '(https|s3)://([^/]+)/?([^\\n\\r\\x85\\u2028\\u2029]*)'
    """
    parts = []
    for token in TOKEN.finditer(java):
        if token["set"]:
            parts.append(_character_set(token["not"], token["body"]))
        elif token["escape"]:
            parts.append(_escape(token["escape"]))
        else:
            parts.append(f"[^{LINE_BREAKS}]" if token["any"] else token["rest"])
    return "".join(parts)


def _escape(escape: str) -> str:
    if escape in ASCII_CLASSES:
        return f"[{ASCII_CLASSES[escape]}]"
    if escape == r"\S":
        return f"[^{SPACE}]"
    if escape == r"\/":
        return "/"
    if escape[1].isalnum():
        raise ValueError(f"{escape} has no translation")
    return escape


def _character_set(negation: str, body: str) -> str:
    if "[" in body.replace(r"\[", "") or "&&" in body:
        raise ValueError(f"a set within a set has no translation: [{body}]")
    items = ITEM.findall(body.replace(*ASTRAL))
    if set(items) == {r"\s", r"\S"}:
        return r"[\s\S]"
    if items == [r"\S"] and not negation:
        return f"[^{SPACE}]"
    if {r"\p{L}", r"\p{N}", "_"} <= set(items):
        items = [r"\w", *(item for item in items if item not in (r"\p{L}", r"\p{N}"))]
        known = {r"\w": r"\w", r"\p{Z}": SEPARATORS}
    else:
        known = ASCII_CLASSES
    return f"[{negation}{''.join(known.get(item) or _literal(item) for item in items)}]"


def _literal(item: str) -> str:
    if re.fullmatch(r"\\[a-zA-Z].*", item) and not re.fullmatch(r"\\(?:u[0-9A-F]{4}|U[0-9A-F]{8}|[rnt])", item):
        raise ValueError(f"{item} has no translation in a set")
    return "/" if item == r"\/" else item


def text(schema: Schema) -> str:
    """The text of the file: compact, one definition per line, so that a new botocore gives a small diff."""
    compact = (",", ":")
    lines = [f"{json.dumps(key)}:{json.dumps(value)}" for key, value in schema.items() if key != "$defs"]
    defs = [f"{json.dumps(key)}:{json.dumps(value, separators=compact)}" for key, value in schema["$defs"].items()]
    return "{\n" + ",\n".join([*lines, '"$defs":{\n' + ",\n".join(defs) + "\n}"]) + "\n}\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or with `--check` name those that differ; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file differs")
    check = parser.parse_args(arguments).check
    stale = []
    for operation, service in OPERATIONS.items():
        path = FOLDER / f"{operation}.schema.json"
        content = text(request_schema(service, operation))
        if check and (not path.exists() or path.read_text(encoding="utf-8") != content):
            stale.append(path.name)
        elif not check:
            path.write_text(content, encoding="utf-8")
    if stale:
        sys.stderr.write(f"botocore {botocore.__version__} differs from {', '.join(stale)}: run {__file__}\n")
    return int(bool(stale))


if __name__ == "__main__":
    raise SystemExit(main())
