"""What every command computes of the starter, computed once: the last module of the process that commands fork from.

Each of them would read the catalog, build pydantic's validators and follow a training step anew. What is kept is a
function of its arguments alone; commands that start with nothing behind them are in `cli/test_entry.py`.
"""

from __future__ import annotations

from hbspec.api import check, compile_spec, estimate
from hbspec.cli.first_spec import STARTER

check(STARTER)
estimate(STARTER).to_dict()
for target in ("sagemaker", "launch"):
    compile_spec(STARTER, target, force=True)
