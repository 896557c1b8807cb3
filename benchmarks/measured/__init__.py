"""The score of the memory estimates against published measurements: see `benchmarks/accuracy.py`."""
