"""Where a script finds the model and the base model on this machine, and how to send it the first request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from shlex import quote

from hbspec.targets.aws.engine_settings import BASE_FOLDER, MODEL_FOLDER
from hbspec.targets.aws.first_request import FILE

PORT = "${PORT:-8080}"
"""The port of SageMaker's containers, unless the variable PORT says another."""
_VARIABLES = {MODEL_FOLDER: '"$model"', BASE_FOLDER: '"$base"'}
_PLACES = re.compile(f"({'|'.join(map(re.escape, _VARIABLES))})")


def usage(script: str, *, base: str | None, merged: bool) -> tuple[str, ...]:
    """Comment lines that say what a script takes."""
    trained = "the folder that training wrote" + ("" if merged else ", with the adapters")
    lines = [
        f"# {script} MODEL [ARGUMENT...]: MODEL is {trained}.",
        "# It is left out where the variable MODEL_DIR says it.",
    ]
    if not merged and base is None:
        lines.append("# BASE_MODEL is the folder with the base model: a copy of its S3 prefix.")
    return (*lines, "# PORT is where it listens, on this machine alone: 8080 by default.")


def model_folder(*, merged: bool) -> Iterator[str]:
    """Lines that set `model` to the model's folder, and leave the other arguments; they stop if it is another one."""
    wanted = "config.json" if merged else "adapter_config.json"
    what = "merged model" if merged else "folder of adapters"
    yield "model=${MODEL_DIR:-${1:-}}"
    yield "if [[ -z ${MODEL_DIR:-} ]] && (($# > 0)); then shift; fi"
    yield 'if [[ -z $model ]]; then echo "name the folder of the trained model: $0 MODEL" >&2; exit 2; fi'
    yield f'if [[ ! -f $model/{wanted} ]]; then echo "$model is not a {what}: it has no {wanted}" >&2; exit 1; fi'
    yield from whole("model")


def base_folder() -> Iterator[str]:
    """Lines that set `base` to the folder with the base model, and stop where it is none."""
    yield "base=${BASE_MODEL:?is the folder with the base model}"
    yield 'if [[ ! -f $base/config.json ]]; then echo "BASE_MODEL=$base has no config.json" >&2; exit 1; fi'
    yield from whole("base")


def whole(variable: str) -> Iterator[str]:
    """Lines that make a path absolute, and refuse one that stands for something else in JSON or in a mount."""
    yield f'{variable}=$(cd -- "${variable}" && pwd)'
    yield f'case ${variable} in *[\\"\\\\,]*)'
    yield f'  echo "${variable}: the path has a quotation mark, a backslash or a comma; rename the folder" >&2'
    yield "  exit 1 ;;"
    yield "esac"


def word(text: str) -> str:
    r"""A word of a command line for bash, with this machine's folders instead of the container's.

    >>> word('{"path": "/opt/ml/model"}')
    '\'{"path": "\'"$model"\'"}\''
    """
    parts = filter(None, _PLACES.split(text))
    return "".join(_VARIABLES.get(part) or quote(part) for part in parts) or quote("")


def said(text: str) -> Iterator[str]:
    """A line that says a sentence where the script starts; none for an empty text."""
    if text:
        yield f"echo {quote(text)} >&2"


def first_answer(route: str) -> Iterator[str]:
    """Lines that tell how to send the first request, once the server answers."""
    yield 'echo "Once it answers, send the first request:" >&2'
    yield f"""echo "  curl http://127.0.0.1:{PORT}/{route} -H 'Content-Type: application/json' \\\\" >&2"""
    yield f"""echo "    -d @$(printf %q "$here/{FILE}")" >&2"""
