"""The beginning of every compiled shell script."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from shlex import quote
from typing import Final

from hbspec.targets.lowering.artifact import CACHE, CACHED, LEFT_BY_SYSTEMS, Artifact, comment

HERE: Final = '"$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]:-$0}")")"'
"""The script's own folder, also where it is sourced or started by way of a link."""

SHA256: Final = "sha256() { if command -v sha256sum > /dev/null; then sha256sum; else shasum -a 256; fi; }"
"""Linux has `sha256sum`, macOS `shasum`."""


def owned(file: str, member: str, name: str) -> Iterator[str]:
    """Lines that stop the script unless a compiled body in the current folder is the one it belongs to.

    A script that bash reads from standard input does not know its folder.

    Args:
        file: the body.
        member: its member that holds a name.
        name: that the member must hold.
    """
    text = quote(f'"{member}": {json.dumps(name, ensure_ascii=False)}')
    yield f"if ! grep -qF -- {text} {file}; then"
    yield f'  echo "this script starts $PWD/{file} only if it is of {name}: run it from its own folder" >&2'
    yield "  exit 1"
    yield "fi"


def unchanged(files: Iterable[Artifact], sent: str) -> Iterator[str]:
    """Lines that stop the script unless the compiled files below the current folder are as they were written.

    Args:
        files: the compiled files.
        sent: a folder that is sent away as a whole, so that nothing else may lie in it but what systems leave.
    """
    left = "".join(f" ! -name {quote(name)}" for name in sorted(LEFT_BY_SYSTEMS))
    yield SHA256
    yield "changed= compiled=$'\\n'"
    yield "while IFS= read -r line; do"
    yield "  path=${line#*  }"
    yield "  compiled+=$path/$'\\n'"
    yield '  found=$(sha256 < "$path") || found='
    yield '  if [[ ${found%% *} != "${line%% *}" ]]; then changed=$path; fi'
    yield "done << 'COMPILED'"
    yield from (f"{file.digest}  {file.path}" for file in files)
    yield "COMPILED"
    yield "if [[ -n $changed ]]; then"
    yield '  echo "$changed was changed since it was compiled. The job is named after what was compiled:" >&2'
    yield '  echo "change the spec or the script that it names, and compile again" >&2'
    yield "  exit 1"
    yield "fi"
    yield f"there=$(find -L {sent} ! -type d{left} ! -path '*/{CACHE}/*{CACHED}' -exec printf '%s/\\n' {{}} +)"
    yield "while IFS= read -r path; do  # of a name with a line break, the first part has no slash"
    yield "  if [[ $compiled != *$'\\n'\"$path\"$'\\n'* ]]; then"
    yield '    echo "${path%/} was added since it was compiled, and would be sent with the job under its name:" >&2'
    yield '    echo "move it away, or add it to the script that the spec names, and compile again" >&2'
    yield "    exit 1"
    yield "  fi"
    yield 'done <<< "$there"'


def opening(about: str, *notes: str) -> Iterator[str]:
    """The first lines of a bash script, which stops at the first failure and ignores CDPATH.

    Args:
        about: a sentence that says what the script does.
        notes: further comment lines, verbatim.
    """
    yield "#!/usr/bin/env bash"
    yield comment(about)
    yield from notes
    yield "set -euo pipefail"
    yield "unset CDPATH  # with it, cd may find another folder of the same name, and prints where it went"
