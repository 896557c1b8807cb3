"""`hbspec schema`: the spec's JSON Schema, for editors."""

from __future__ import annotations

import sys

from hbspec.cli.command import Command
from hbspec.cli.exit_codes import OK


def run() -> int:
    """Print the schema."""
    from hbspec.render.plain_json import json_text
    from hbspec.spec import Spec

    sys.stdout.write(json_text(Spec.model_json_schema()))
    return OK


COMMAND = Command("schema", "Print the JSON Schema of a spec, for editors.", run, ())
