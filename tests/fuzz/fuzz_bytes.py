"""Mutations of the bytes of a spec."""

from __future__ import annotations

import random

from fuzz_trees import originals

TOKENS = (
    b"\t",
    b"\0",
    b"\n",
    b"\r",
    b"\r\n",
    b" ",
    b"  ",
    b": ",
    b"- ",
    b"? ",
    b", ",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"'",
    b"#",
    b" #",
    b"&a ",
    b"*a",
    b"<<: ",
    b"!",
    b"!!python/object:os.system ",
    b"!!binary ",
    b"|",
    b">",
    b">= 5",
    b"%",
    b"@",
    b"`",
    b"---\n",
    b"...\n",
    b"~",
    b"null",
    b"\xff",
    b"\xc3",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xa8",
    b"\xc2\x85",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x8f\x92",
    b"1e999",
    b"-1",
    b"0x",
    b".nan",
    b".inf",
    b"9" * 300,
    b"\\x1b[31m",
    b"\x1b[2J",
    b"extends: ./spec.yaml\n",
    b"extends: [a]\n",
    b"# hbspec: allow HB101\n",
    b"\xff\xfe",
    b"\xe2\x80\xae",
)


def mutated_bytes(draw: random.Random) -> tuple[bytes, dict[str, str]]:
    data = bytearray(draw.choice(originals()))
    for _ in range(draw.choice((1, 1, 1, 2, 3, 5, 9))):
        at, end = sorted(draw.randrange(len(data) + 1) for _ in range(2))
        end = min(end, at + draw.choice((1, 3, 10, 80, len(data))))
        match draw.randrange(9):
            case 0 if at < len(data):
                data[at] ^= 1 << draw.randrange(8)
            case 1:
                data[at:at] = draw.choice(TOKENS)
            case 2:
                del data[at:end]
            case 3:
                data[at:at] = data[at:end]
            case 4:
                data[at:end] = draw.randbytes(draw.randrange(8))
            case 5:
                other = draw.choice(originals())
                start = draw.randrange(len(other))
                data[at:end] = other[start : start + draw.randrange(200)]
            case 6:
                data[at:at] = draw.choice(TOKENS) * draw.choice((2, 50, 3000))
            case 7:
                lines = data.split(b"\n")
                one, two = draw.randrange(len(lines)), draw.randrange(len(lines))
                lines[one], lines[two] = lines[two], lines[one]
                data = bytearray(b"\n".join(lines))
            case _:
                del data[at:]
    return bytes(data), {}
