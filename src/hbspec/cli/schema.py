"""`hbspec schema`: the spec's JSON Schema, for editors."""

from __future__ import annotations

import sys

from hbspec.cli.command import Command
from hbspec.cli.exit_codes import OK


def run() -> int:
    """Print the schema, and return the exit code."""
    from hbspec.cli.spec_schema import spec_schema
    from hbspec.render.plain_json import json_text

    sys.stdout.write(json_text(spec_schema()))
    return OK


COMMAND = Command("schema", "Print the JSON Schema of a spec, for editors.", run, ())
