"""Writes `src/hbspec/catalog/data/links.csv`: what joins the GPUs of a host, from measured collectives.

    python tools/derive_links.py INTERCONNECT.csv

The table has one row per measured collective: GPU, number of GPUs, operation, message in bytes, latency in ms. For each
GPU and number, latency and bytes a second are those of the line `seconds = latency + sent / bytes a second` that is
nearest to the all-gathers and reduce-scatters of 4 MiB and more, in relative error. Derived, with the table's source.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

WRITTEN = Path(__file__).parents[1] / "src/hbspec/catalog/data/links.csv"
COLUMNS = ("gpus", "count", "latency_us", "gb_per_s", "worst_percent", "source")

SHARDED = ("all_gather", "reduce_scatter")
LEAST_BYTES = 4 << 20

JOINED = {
    "A100 SXM (NVLink)": "A100-40;A100-80",
    "H100 SXM (NVLink)": "H100-80;H100-96",
    "H200 SXM (NVLink)": "H200-141",
    "B200 (NVLink)": "B200",
    "B300 (NVLink)": "B300",
    "GB200 (NVLink)": "GB200",
    "L40S (PCIe 4)": "L40S",
    "RTX PRO 6000 server (PCIe 5)": "RTX PRO 6000",
}
"""The catalog's GPUs by the table's names; GB300 is not in the catalog."""


def nearest_line(points: Iterable[tuple[float, float]]) -> tuple[float, float, float]:
    """Seconds at nothing sent, bytes a second, and the worst relative error, of (bytes sent, seconds).

    Least squares of the relative error, with a latency of at least 0.
    """
    measured = list(points)
    # in units of the measured seconds: 1 = latency * (1 / s) + slope * (x / s)
    rows = [(1 / s, x / s) for x, s in measured]
    aa, ab, bb = (sum(row[i] * row[j] for row in rows) for i, j in ((0, 0), (0, 1), (1, 1)))
    a, b = (sum(row[i] for row in rows) for i in (0, 1))
    determinant = aa * bb - ab * ab
    latency, slope = (a * bb - b * ab) / determinant, (b * aa - a * ab) / determinant
    if latency < 0:
        latency, slope = 0.0, b / bb
    worst = max(abs((latency + slope * x) / s - 1) for x, s in measured)
    return latency, 1 / slope, worst


def main() -> None:
    """Writes the table."""
    found: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
    sources: dict[str, str] = {}
    with Path(sys.argv[1]).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            size, count = int(row["message_bytes"]), int(row["gpus"])
            if row["gpu"] in JOINED and row["operation"] in SHARDED and size >= LEAST_BYTES:
                found[row["gpu"], count].append((size * (count - 1) / count, float(row["latency_ms"]) / 1e3))
                sources[row["gpu"]] = row["source"]
    with WRITTEN.open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file, lineterminator="\n")
        write.writerow(COLUMNS)
        for (gpu, count), points in sorted(found.items()):
            latency, speed, worst = nearest_line(points)
            rounded = f"{latency * 1e6:.0f}", f"{speed / 1e9:.1f}", f"{worst * 100:.0f}"
            write.writerow((JOINED[gpu], count, *rounded, f"derived: {sources[gpu]}"))


if __name__ == "__main__":
    main()
