"""Memory, time and cost of a plan: pure functions, one module per quantity, each result itemised.

Packages, each built on those before it: `step`, `training`, `job`; and `serving`, which shares with them only the
modules of this package: bytes of weights and dtypes, and fitted constants.
"""
