"""The dtypes that a plan can name, and the bytes of one number."""

from __future__ import annotations

from collections.abc import Mapping

BYTES: Mapping[str, int] = {"float32": 4, "bfloat16": 2, "float16": 2}
"""Element size by dtype."""

FLOAT32 = BYTES["float32"]
"""Element size of what stays in full precision: master weights, logits, softmax, norms."""
