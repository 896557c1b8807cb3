"""`hbspec model add`: a model that is in no family of the catalog, recorded from what transformers builds."""

from __future__ import annotations

import sys
from pathlib import Path

from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.exit_codes import OK

SUFFIX = ".model.json"


def run(model: str, output: Path | None, revision: str | None, force: bool) -> int:
    """Record a model and write its file; return the exit code."""
    place = output or Path(_name(model) + SUFFIX)
    if place.exists() and not force:
        raise MisuseError(f"{place} exists; give --force to replace it, or --output another name")
    if place.is_dir() or not place.parent.is_dir():
        raise MisuseError(f"{place} is a folder, or the folder that it is to be in does not exist")
    from hbspec.cli.whole import write_file
    from hbspec.recording.program import RecordingError
    from hbspec.recording.source import read

    _quiet()
    try:
        source = read(model, revision)
        from hbspec.recording.files import recorded, text_of  # torch, which no bad path should wait for

        values = recorded(source)
    except RecordingError as reason:
        raise MisuseError(f"{model}: {str(reason).removeprefix(f'{model}: ').removeprefix(f'{model} ')}") from None
    except ImportError as reason:
        raise MisuseError(
            f"hbspec model add needs {reason.name}, of the extra `train`: pip install 'hbspec[train]'"
        ) from reason
    write_file(place, text_of(values), replace=force)
    kinds, layers = len(values["weights"]["layers"]), len(values["kinds"])
    sys.stdout.write(
        f"{place}: {values['config']['model_type']} of {values['parameters']:,} parameters, {layers} layers of "
        f"{kinds} kind{'s' * (kinds > 1)}\nnext: set model.config to ./{place.name} in a spec beside it\n"
    )
    return OK


def _quiet() -> None:
    """Keep the libraries' own advice out of the answer."""
    import logging
    import warnings

    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)


def _name(model: str) -> str:
    """What the file is called: the last part of an id or of a folder."""
    place = Path(model)
    if place.suffix == ".json":
        place = place.absolute().parent if place.stem == "config" else place.with_suffix("")
    return place.name or "model"


COMMAND = Command(
    "model add",
    "Record a model that the catalog does not know, so that specs can name it.",
    run,
    (
        Parameter(
            "model",
            "A config.json, the folder that holds it, or a Hugging Face id.",
            metavar="CONFIG_OR_ID",
            required=True,
        ),
        Parameter("output", "The file to write; NAME.model.json by default.", ("--output", "-o"), "FILE", convert=Path),
        Parameter("revision", "The revision of the id; the newest by default.", ("--revision",), "REVISION"),
        Parameter("force", "Replace the file if it exists.", ("--force",), switch=True),
    ),
    "Builds the model without its weights, as transformers does, and writes down what its layers compute. No code of "
    "a repository is run. Needs the extra `train`.",
)
