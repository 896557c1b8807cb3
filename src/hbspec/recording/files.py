"""The file of a recorded model, made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import transformers
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from hbspec.catalog.recorded import FORMAT, MARK
from hbspec.catalog.recorded_file import digest_of
from hbspec.recording.forward import Regime
from hbspec.recording.program import RecordingError
from hbspec.recording.record import record
from hbspec.recording.source import Source


def recorded(source: Source, regimes: Sequence[Regime] | None = None) -> dict[str, Any]:
    """Everything that the file holds; `regimes` are the dtypes in which the model is recorded, by default all.

    Raises:
        RecordingError: the model cannot be recorded.
    """
    refuse_config(source.values)
    values = {
        MARK: FORMAT,
        "versions": {"transformers": transformers.__version__, "torch": torch.__version__},
        "source": dict(source.said),
        "config": dict(source.values),
        **record(source.values, regimes),
    }
    plain: dict[str, Any] = json.loads(json.dumps(values))
    return {**plain, "digest": digest_of(plain)}


def refuse_config(values: Mapping[str, Any]) -> None:
    """Nothing, unless transformers itself does not build such a model; a repository's own code is never run.

    Raises:
        RecordingError: it does not.
    """
    model_type = values.get("model_type")
    if not isinstance(model_type, str):
        raise RecordingError("the config has no model_type")
    if model_type not in CONFIG_MAPPING:
        own = "; its code is in its repository, which hbspec does not run" if values.get("auto_map") else ""
        raise RecordingError(f"transformers {transformers.__version__} does not know model_type {model_type}{own}")
    if model_type not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        raise RecordingError(f"transformers builds no causal language model of model_type {model_type}")


def text_of(values: Mapping[str, Any]) -> bytes:
    """The file's content: one line a key, so that two recordings can be compared."""
    lines = (f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in values.items())
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()
