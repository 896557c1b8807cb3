"""`hbspec models`: what the catalog knows of models."""

from __future__ import annotations

import sys

from hbspec.cli.command import Command, Parameter, did_you_mean
from hbspec.cli.exit_codes import OK
from hbspec.cli.options import format_of


def run(word: str | None, format: str) -> int:  # noqa: A002 - the option's name
    """Print the names that contain the word, or one name for every shape; return the exit code."""
    from hbspec.catalog import catalog
    from hbspec.render.catalog import model_lines, model_to_dict
    from hbspec.render.paint import columns, write
    from hbspec.render.plain_json import json_text

    models = catalog().models
    names = [name for name in models if word.lower() in name.lower()] if word else [*models.originals()]
    found = [models[name] for name in names]
    if format == "json":
        sys.stdout.write(json_text({"format_version": 1, "models": [model_to_dict(model) for model in found]}))
        return OK
    write(model_lines(found, columns()), sys.stdout)
    if not word:
        sys.stderr.write(
            f"{len(found)} shapes under {len(models)} names; `hbspec models WORD` lists the names with a word\n"
        )
    elif not found:
        sys.stderr.write(f"no name contains {word}{did_you_mean(word, [*models])}\n")
    return OK


COMMAND = Command(
    "models",
    "List the models of the catalog.",
    run,
    (
        Parameter(
            "word", "List the names that contain this: llama-3.1, bnb-4bit. All shapes by default.", metavar="WORD"
        ),
        format_of("text", "json"),
    ),
)
