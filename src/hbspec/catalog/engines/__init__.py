"""Serving engines: what their containers accept, from their own source, and what an image's name says of it."""

from __future__ import annotations

from hbspec.catalog.engines.environment import command_line, refusals
from hbspec.catalog.engines.facts import facts, lora_ranks, refused_adapters
from hbspec.catalog.engines.images import OwnImage, own_image

__all__ = ["OwnImage", "command_line", "facts", "lora_ranks", "own_image", "refusals", "refused_adapters"]
