"""Adapters where serving engines look for them: vLLM is told of the model folder, LMI lists a folder inside it.

LMI answers from the base model alone where that folder is missing, without an error (djl-serving, ModelInfo.java). The
files are small beside the base model, so that they lie in both places, and one model serves with either engine.
"""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile

FOLDER, NAME = "adapters", "candidate"
FILES = ("adapter_config.json", "adapter_model.safetensors")


def keep(model: Path) -> None:
    """Copies the adapters of a saved model to `adapters/candidate/` inside it; nothing for a whole model."""
    if not all((model / name).is_file() for name in FILES):
        return
    own = model / FOLDER / NAME
    own.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        copyfile(model / name, own / name)
