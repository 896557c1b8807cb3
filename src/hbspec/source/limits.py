"""Size limits: how large a spec may be before it is refused.

A spec may come from a stranger. Each limit is far above the needs of a spec, and low enough that the worst text within
it is read in a moment.
"""

from __future__ import annotations

MAX_BYTES = 1 << 20
"""Bytes of one spec file."""

MAX_NODES = 100_000
"""Keys and values of a spec, with aliases expanded."""

MAX_DEPTH = 100
"""Levels of nested mappings and lists, with aliases expanded."""

MAX_NUMBER_LENGTH = 240
"""Characters of one number: 240 hexadecimal digits are 960 bits, which a 64-bit float can still hold."""

MAX_INTEGER_BITS = 4 * MAX_NUMBER_LENGTH
"""Bits of an integer in a Python mapping."""

MAX_EXTENDS = 20
"""Files in the chain that one spec extends."""

MAX_FAULTS = 1_000
"""Faults of one spec that are listed; the others are only counted."""

MAX_ATTACHMENT_BYTES = 16 << 20
"""Bytes of a file that a spec names, such as a `config.json`."""
