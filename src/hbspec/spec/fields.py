"""Field types of a spec: strings with units converted to base units, with their JSON Schema for editors."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from hbspec.digits import NUMBER, UnitError
from hbspec.parsing import (
    BYTE_UNITS,
    PERIODS,
    SPEED_UNITS,
    TIME_UNITS,
    parse_bits_per_second,
    parse_bytes,
    parse_money,
    parse_rate,
    parse_seconds,
)
from hbspec.units import Money, Rate


class Section(BaseModel):
    """A mapping of a spec: unknown keys are refused, values are not converted silently, and sections are immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True, defer_build=True)


def _date(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise UnitError(f"{value!r} is not a date; it is written 2025-09-22") from None


def _steps(value: Any) -> int:
    match = re.fullmatch(r"([0-9]{1,12})\s*(?:steps?|updates?)", value) if isinstance(value, str) else None
    if not match:
        raise UnitError(f'{value!r} is not a number of steps; it is written "300 steps"')
    return int(match[1])


def _updates(value: float) -> float:
    """A whole number, or a share below 1, as transformers reads `save_steps` and its like."""
    if value > 1 and value != int(value):
        raise PydanticCustomError("updates", "neither whole nor below 1")
    return int(value) if value >= 1 else value


def _updates_schema(least: int) -> WithJsonSchema:
    share = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
    return WithJsonSchema({"anyOf": [{"type": "integer", "minimum": least, "maximum": MOST_UPDATES}, share]})


def _positive_bytes(value: Any) -> int:
    size = parse_bytes(value)
    if size <= 0:
        raise UnitError(f"{value!r} is not above zero")
    return size


def _positive_speed(value: Any) -> float:
    speed = parse_bits_per_second(value)
    if speed <= 0:
        raise UnitError(f"{value!r} is not above 0")
    return speed


def _positive_seconds(value: Any) -> float:
    seconds = parse_seconds(value)
    if seconds <= 0:
        raise UnitError(f"{value!r} is not above zero")
    return seconds


def _money(value: Any) -> Money:
    money = parse_money(value)
    if money.amount <= 0:
        raise UnitError(f"{value!r} is not above zero")
    return money


def _rate(value: Any) -> Rate:
    rate = parse_rate(value)
    if rate.per_hour <= 0:
        raise UnitError(f"{value!r} is not above zero")
    return rate


def _secret_arn(value: Any) -> str:
    """An ARN; what is written instead may be the secret itself, and is not repeated."""
    if not isinstance(value, str) or not re.fullmatch(ARN, value):
        action = "write its ARN, which AWS Secrets Manager shows and which begins with arn:aws:secretsmanager"
        raise UnitError("is not the ARN of a secret", action)
    return value


def _text_schema(description: str, example: str, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "description": description, "examples": [example], **more})


def _quantity_schema(description: str, example: str, units: Iterable[str], *, parts: bool = False) -> WithJsonSchema:
    """A number and one of the units, or several of such `parts`; whatever a parser reads has this pattern."""
    unit = "|".join(map(re.escape, units))
    several = rf"(?:\s*{NUMBER}\s*(?:{unit}))+|" if parts else ""
    return _text_schema(description, example, pattern=rf"^(?:{several}\s*~?\s*[+-]?{NUMBER}\s*(?:{unit}))\s*$")


def _money_schema(description: str, example: str, period: str) -> WithJsonSchema:
    return _text_schema(description, example, pattern=rf"^\s*~?\s*[+-]?{NUMBER}\s*[A-Z]{{3}}\s*{period}$")


MOST_UPDATES = 10**12
_PERIOD = rf"/\s*(?:{'|'.join(PERIODS)})\s*"
ARN = r"arn:aws[a-z-]{0,20}:secretsmanager:[a-z0-9-]{1,40}:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]{1,512}"
"""Of a secret: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html"""

Bytes = Annotated[int, BeforeValidator(_positive_bytes), _quantity_schema("A size with its unit.", "40 GB", BYTE_UNITS)]
Speed = Annotated[
    float, BeforeValidator(_positive_speed), _quantity_schema("A speed with its unit.", "400 Gb/s", SPEED_UNITS)
]
Seconds = Annotated[
    float,
    BeforeValidator(_positive_seconds),
    _quantity_schema("A duration with its unit.", "16h", TIME_UNITS, parts=True),
]
Amount = Annotated[Money, BeforeValidator(_money), _money_schema("An amount with its currency.", "525 CAD", "")]
Price = Annotated[Rate, BeforeValidator(_rate), _money_schema("A price per hour.", "36 CAD/h", _PERIOD)]
Day = Annotated[date, BeforeValidator(_date), _text_schema("A date.", "2025-09-22")]
SecretArn = Annotated[
    str,
    BeforeValidator(_secret_arn),
    _text_schema("The ARN of a secret.", "arn:aws:secretsmanager:us-east-1:111122223333:secret:hub-a1b2c3"),
]
Steps = Annotated[int, BeforeValidator(_steps), _text_schema("A number of optimizer steps.", "300 steps")]

Positive = Annotated[int, Field(gt=0, le=10**12)]
Natural = Annotated[int, Field(ge=0, le=10**12)]
Every = Annotated[
    int | float, Field(gt=0, le=MOST_UPDATES, allow_inf_nan=False), AfterValidator(_updates), _updates_schema(1)
]
"""A number of updates; below 1 a share of all updates."""
Warmup = Annotated[
    int | float, Field(ge=0, le=MOST_UPDATES, allow_inf_nan=False), AfterValidator(_updates), _updates_schema(0)
]
"""The same, or 0."""
Fraction = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, Field(min_length=1, max_length=2048)]
Texts = Annotated[tuple[Text, ...], Field(strict=False)]
Version = Annotated[str, Field(pattern=r"^[0-9]{1,6}(\.[0-9A-Za-z+-]{1,40}){0,5}$", examples=["5.23.0"])]
Names = Annotated[tuple[Text, ...], Field(strict=False, min_length=1)]
