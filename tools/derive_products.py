"""Writes `src/hbspec/catalog/data/products.csv`: how fast matrix products of so many rows are, as measured.

    python tools/derive_products.py AICONFIGURATOR_CORE.whl

The wheel (PyPI, Apache-2.0) has timed products of m x k with k x n by GPU and by the engine that ran them. Of those in
16 bits with weights of at least 1,024 a side, a row of the table holds the median speed, and the quartiles, over all
shapes and engines, of products of as many rows as it says and of one more, since few micro-batches fill whole tiles.
Derived, with the version of the wheel. Needs pyarrow.
"""

from __future__ import annotations

import csv
import io
import sys
from collections import defaultdict
from pathlib import Path
from statistics import quantiles
from zipfile import ZipFile

from derive_links import JOINED

WRITTEN = Path(__file__).parents[1] / "src/hbspec/catalog/data/products.csv"
COLUMNS = ("gpus", "rows", "tflops", "low_quartile", "high_quartile", "products", "source")

FOLDERS = {
    "a100_sxm": "A100 SXM (NVLink)",
    "h100_sxm": "H100 SXM (NVLink)",
    "h200_sxm": "H200 SXM (NVLink)",
    "b200_sxm": "B200 (NVLink)",
    "b300_sxm": "B300 (NVLink)",
    "gb200": "GB200 (NVLink)",
    "l40s": "L40S (PCIe 4)",
    "rtx_pro_6000_server": "RTX PRO 6000 server (PCIe 5)",
}
"""The wheel's folders, and the names under which `derive_links` knows the same GPUs."""

ROWS = (64, 128, 256, 512, 1024, 2048, 4096, 8192)
LAST = (8192, 16384, 32768)
"""What the last row stands for: from there on the speed no longer changes."""

SIDE = 1024
"""The shortest side of a weight: those of adapters are far shorter, and their products are not bound by arithmetic."""


def timed(wheel: ZipFile) -> dict[str, dict[int, list[float]]]:
    """TFLOP/s of every product in 16 bits, by folder and number of rows."""
    from pyarrow import parquet

    found: dict[str, dict[int, list[float]]] = {folder: defaultdict(list) for folder in FOLDERS}
    for name in wheel.namelist():
        folder = name.split("/")[3] if name.endswith("/gemm_perf.parquet") else None
        if folder not in FOLDERS:
            continue
        table = parquet.read_table(io.BytesIO(wheel.read(name)), columns=["gemm_dtype", "m", "n", "k", "latency"])
        for dtype, *shape, milliseconds in zip(*(column.to_pylist() for column in table.columns), strict=True):
            m, n, k = map(int, shape)
            if dtype == "bfloat16" and min(n, k) >= SIDE:
                found[folder][m].append(2 * m * n * k / float(milliseconds) / 1e9)
    return found


def main() -> None:
    """Writes the table."""
    wheel = Path(sys.argv[1])
    version = wheel.name.split("-")[1]
    measured = timed(ZipFile(wheel))
    with WRITTEN.open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file, lineterminator="\n")
        write.writerow(COLUMNS)
        for folder, by_rows in measured.items():
            source = f"derived: aiconfigurator-core {version} (PyPI, Apache-2.0): systems/data/{folder}/gemm"
            for rows in ROWS:
                counts = LAST if rows == ROWS[-1] else (rows, rows + 1)
                speeds = [speed for count in counts for speed in by_rows[count]]
                low, middle, high = (f"{speed:.1f}" for speed in quantiles(speeds, n=4))
                write.writerow((JOINED[FOLDERS[folder]], rows, middle, low, high, len(speeds), source))


if __name__ == "__main__":
    main()
