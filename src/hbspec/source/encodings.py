"""The Unicode encoding of a text, detected from its first bytes."""

from __future__ import annotations

import codecs

UTF_8 = ("utf-8", "utf-8-sig")

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ZEROS: dict[tuple[bool, ...], str] = {
    (True, True, True, False): "utf-32-be",
    (False, True, True, True): "utf-32-le",
    (True, False, True, False): "utf-16-be",
    (False, True, False, True): "utf-16-le",
}
"""Without a byte order mark: the zero bytes of the first characters, which are ASCII (YAML 1.2.2, section 5.2)."""


def encoding_of(data: bytes) -> str:
    """Python's name of the encoding; UTF-8 unless the bytes indicate another one.

    >>> encoding_of("hbspec: 1".encode("utf-16-le")), encoding_of(b"hbspec: 1")
    ('utf-16-le', 'utf-8')
    """
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    return marked or _ZEROS.get(tuple(byte == 0 for byte in data[:4]), "utf-8")


def family(encoding: str) -> str:
    """The common name of an encoding, without its byte order.

    >>> family("utf-16-le")
    'UTF-16'
    """
    return encoding[:6].upper()
