"""The plan of a spec: every choice made and every derived count."""

from __future__ import annotations

from hbspec.plan.assumptions import Assumption
from hbspec.plan.build import build_plan
from hbspec.plan.hardware import Hardware, hardware
from hbspec.plan.lengths import Lengths, Profile
from hbspec.plan.loop import Counts
from hbspec.plan.money import STALE_AFTER_DAYS, Currencies, UnitPrice
from hbspec.plan.plan import Between, Plan
from hbspec.plan.profile import read_profile
from hbspec.plan.serving import ServingPlan, build_serving_plan
from hbspec.plan.training import Training

__all__ = [
    "STALE_AFTER_DAYS",
    "Assumption",
    "Between",
    "Counts",
    "Currencies",
    "Hardware",
    "Lengths",
    "Plan",
    "Profile",
    "ServingPlan",
    "Training",
    "UnitPrice",
    "build_plan",
    "build_serving_plan",
    "hardware",
    "read_profile",
]
