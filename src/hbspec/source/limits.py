"""How much of a spec is read before it is refused.

A spec may come from a stranger. Each limit is far above what a spec needs and low enough that reading the
worst text within it takes a moment.
"""

from __future__ import annotations

MAX_BYTES = 1 << 20
"""Bytes of one spec file."""

MAX_NODES = 100_000
"""Keys and values of a spec, each alias counted as all that it stands for."""

MAX_DEPTH = 100
"""Maps and lists inside one another, aliases expanded."""

MAX_NUMBER_LENGTH = 240
"""Characters of one number: 240 hexadecimal digits are 960 bits, which a 64-bit float can still hold."""

MAX_INTEGER_BITS = 4 * MAX_NUMBER_LENGTH
"""Bits of an integer that did not come from text."""

MAX_EXTENDS = 20
"""Files that one spec may extend, one after the other."""

MAX_FAULTS = 1_000
"""Faults of one spec that are listed; of the others only their number is told."""

MAX_ATTACHMENT_BYTES = 16 << 20
"""Bytes of a file that a spec names besides its own text."""
