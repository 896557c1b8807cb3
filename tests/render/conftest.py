"""One small report that every renderer is shown."""

from __future__ import annotations

import pytest

from hbspec.diagnostics import Confidence, Diagnostic, Fix, Position, Report, Severity, Span

FILE = "specs/seed.yaml"


def diagnostic(code, name, severity, line, columns, route, message, help_, excerpt, **more):
    span = Span(FILE, Position(line, columns[0]), Position(line, columns[1])) if line else None
    more.setdefault("confidence", Confidence.CERTAIN)
    return Diagnostic(
        code=code,
        name=name,
        severity=severity,
        file=FILE,
        route=route,
        span=span,
        message=message,
        help=help_,
        excerpt=excerpt,
        **more,
    )


IDLE = diagnostic(
    "HB101",
    "idle-gpus",
    Severity.WARNING,
    9,
    (16, 24),
    ("instance", "parallelism"),
    "pipeline runs one of 8 GPUs at a time: 7 are paid for and idle",
    "use parallelism: ddp with gradient_accumulation_steps: 4: the same batch in about 1/8 of the time",
    "  parallelism: pipeline                          # one process, layers split over the GPUs",
    confidence=Confidence.LIKELY,
    fixes=(Fix("use ddp", ("instance", "parallelism"), "ddp"),),
)
BUDGET = diagnostic(
    "HB131",
    "runtime-over-budget",
    Severity.ERROR,
    112,
    (13, 20),
    ("budget", "max_cost"),
    "16.0 h at 36.00 CAD/h may spend 576.00 CAD, the budget is 525.00 CAD",
    "set instance.max_runtime: 14h",
    "  max_cost: 525 CAD",
)
MISSING = diagnostic(
    "HB021",
    "missing-key",
    Severity.ERROR,
    2,
    (1, 6),
    ("model", "id"),
    "model.id is missing",
    "add model.id",
    "model: {license: mit}",
    fixes=(Fix("add it", ("model", "id"), "Qwen/Qwen2.5-7B"),),
)
WHOLE = diagnostic(
    "HB015", "unreadable-file", Severity.ERROR, None, None, (), "`x` does not exist", "name a file", None
)
NOTE = diagnostic(
    "HB305",
    "price-derived",
    Severity.NOTE,
    8,
    (9, 25),
    ("instance", "type"),
    "a \x1b[31mred\x07 price",
    "do\nread",
    "  type: ml.p4d.24xlarge",
)


@pytest.fixture
def report():
    return Report(
        files=(FILE,),
        diagnostics=(MISSING, NOTE, IDLE, BUDGET),
        allowed=2,
        skipped={"HB210": "not known: the price", "HB140": "not known: the price", "HB150": "not known: the GPU"},
    )
