"""Lines of data."""

from __future__ import annotations

import json


def chat(question: str, answer: str) -> str:
    """A line with a question and its answer."""
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": messages})
