"""What a plan needs, takes and costs: pure functions of a plan, one module a quantity, each result itemised.

Rooms, each built on those before it: `step`, `training`, `job`; and `serving`, which shares with them only what stands
here: the bytes of weights and of numbers, and what is fitted.
"""
