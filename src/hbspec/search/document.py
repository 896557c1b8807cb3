"""The document that `hbspec optimize --format json` prints, for jobs and for endpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hbspec.search.request import Request

FORMAT_VERSION = 1


def document(
    request: Request,
    regions: Sequence[str],
    current: Mapping[str, Any],
    front: Sequence[Mapping[str, Any]],
    rejected: Mapping[str, int],
    searched: Mapping[str, int],
    **more: Any,
) -> dict[str, Any]:
    """What was asked, what is, what was found, and why the other plans were not; `more` comes after that."""
    return {
        "format_version": FORMAT_VERSION,
        "objective": request.objective,
        "confidence": request.confidence,
        "regions": list(regions),
        "current": current,
        "front": list(front),
        "rejected": [{"reason": reason, "plans": number} for reason, number in rejected.items()],
        "searched": dict(searched),
        **more,
        "not_known": ["quota", "capacity"],
    }
