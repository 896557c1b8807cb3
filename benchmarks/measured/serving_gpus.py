"""The GPU of a serving row: the catalog's, or one of a few cards that no SageMaker instance has.

Figures of cards are those of NVIDIA's data sheets and architecture whitepapers (Turing, Ampere GA102, Ada, Blackwell):
bandwidth, dense 16-bit FLOP/s of tensor cores (with fp32 accumulation, half rate on GeForce cards), memory.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from hbspec.catalog import Gpu, catalog
from hbspec.catalog.gpus import unlisted_gpu
from hbspec.units import GIB
from measured.placement import instance
from measured.reason import NotExpressibleError
from measured.row import Row


class Card(NamedTuple):
    """Bandwidth in GB/s, TFLOP/s, memory in GiB."""

    name: str
    bandwidth: float
    flops: float
    memory: int


CARDS = (
    (r"2080 ?ti", Card("GeForce RTX 2080 Ti", 616, 53.8, 11)),
    (r"3060(?! ?ti)", Card("GeForce RTX 3060", 360, 25.6, 12)),
    (r"3070(?! ?ti)", Card("GeForce RTX 3070", 448, 40.6, 8)),
    (r"3080(?! ?ti)", Card("GeForce RTX 3080", 760, 59.5, 10)),
    (r"3090 ?ti", Card("GeForce RTX 3090 Ti", 1008, 80.0, 24)),
    (r"3090", Card("GeForce RTX 3090", 936.2, 71.0, 24)),
    (r"4060 ?ti", Card("GeForce RTX 4060 Ti", 288, 44.1, 16)),
    (r"4070(?! ?ti)", Card("GeForce RTX 4070", 504, 58.3, 12)),
    (r"4070 ?ti", Card("GeForce RTX 4070 Ti", 504, 80.2, 12)),
    (r"4080", Card("GeForce RTX 4080", 716.8, 97.5, 16)),
    (r"4090", Card("GeForce RTX 4090", 1008, 165.2, 24)),
    (r"5090", Card("GeForce RTX 5090", 1792, 209.5, 32)),
    (r"rtx ?4000 ?ada|4000 ada", Card("RTX 4000 Ada", 360, 106.9, 20)),
    (r"5000 ?ada", Card("RTX 5000 Ada", 576, 261.1, 32)),
    (r"6000 ?ada", Card("RTX 6000 Ada", 960, 364.2, 48)),
    (r"a4000", Card("RTX A4000", 448, 76.7, 16)),
    (r"a5000", Card("RTX A5000", 768, 111.1, 24)),
    (r"a6000", Card("RTX A6000", 768, 154.8, 48)),
    (r"a100.*pcie", Card("A100 PCIe", 1935, 312, 80)),
    (r"h100.*pcie", Card("H100 PCIe", 2000, 756, 80)),
    (r"\bh20\b", Card("H20", 4000, 148, 96)),
)


def gpu_of(text: str) -> tuple[Gpu, tuple[str, ...]]:
    """The GPU that a source names, and what was assumed about it.

    Raises:
        NotExpressibleError: a GPU whose bandwidth is not known.
    """
    smaller = re.sub(r"(\d+) ?/ ?(\d+)(?= ?GB)", lambda sizes: min(sizes[1], sizes[2], key=int), text)
    said = () if smaller == text else (f"a GPU with one of two memories, {text}, as the smaller",)
    if "?" in text:
        said = (*said, f"{text}, which its source does not say for sure")
    card = next((card for pattern, card in CARDS if re.search(pattern, smaller, re.IGNORECASE)), None)
    if card is not None:
        return _as_gpu(card), said
    plain = Row({"gpu": smaller, "n_gpus": "1", "parallelism": "single", "notes": ""})
    found = catalog().gpus.get(instance(plain)["gpu"])
    if found is None or found.bandwidth is None:
        raise NotExpressibleError(f"GPU {text or 'not named'}: its bandwidth is not known")
    return found, said


def _as_gpu(card: Card) -> Gpu:
    return unlisted_gpu(card.name, card.memory * GIB)._replace(
        bandwidth=card.bandwidth * 1e9,
        fp16_flops=card.flops * 1e12,
        bf16_flops=card.flops * 1e12,
        bf16=True,
    )
