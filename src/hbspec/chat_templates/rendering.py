"""Templates rendered as `transformers.PreTrainedTokenizerBase.apply_chat_template` does (5.23).

Its `utils/chat_template_utils.py` compiles them in a sandbox with two extensions and one filter. Left out: `tools` and
`documents` that a script may pass to a template, and `strftime_now`, because what is calculated must not depend on the
clock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hbspec.chat_templates.spoken import Render


LONGEST, MOST_DIGITS = 1_000_000, 1_000
"""Limits on products in a template, which could fill memory: characters of a text, and exponents."""


class TemplateRefusedError(ValueError):
    """A template that jinja2 does not parse; the message says why."""


def renderer(template: str, special: Mapping[str, Any]) -> Render:
    """A template as a function from messages to text; its flag asks for the opening of a next assistant turn.

    Args:
        template: the template's text.
        special: what else the template finds by name: texts of special tokens (`bos_token`), as the tokenizer has them.

    Raises:
        ImportError: jinja2 is not installed.
        TemplateRefusedError: the template does not parse. The function itself raises what the template raises: any
            exception.
    """
    from jinja2 import TemplateError
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(reason: str) -> None:
        raise TemplateError(reason)

    class Sandbox(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset({"*", "**", "%"})

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            _refuse_huge(operator, left, right)
            return super().call_binop(context, operator, left, right)

    environment = Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=[_generation(), loopcontrols])
    environment.filters["tojson"] = _json
    environment.globals["raise_exception"] = refuse
    try:
        compiled = environment.from_string(template)
    except (TemplateError, SyntaxError) as reason:  # Python, too, has a limit on blocks in blocks
        raise TemplateRefusedError(str(reason)) from None
    except RecursionError:
        raise TemplateRefusedError("its nesting is too deep") from None

    def render(messages: Sequence[Mapping[str, str]], prompt: bool) -> str:
        return str(compiled.render(messages=messages, add_generation_prompt=prompt, **special))

    return render


def _refuse_huge(operator: str, left: Any, right: Any) -> None:
    """End a template that makes a text or a number that would fill memory.

    Raises:
        OverflowError: with the limit.
    """
    factors = (left, right)
    if operator == "**":
        sized = isinstance(right, int) and right > MOST_DIGITS
    elif operator == "%":
        sized = isinstance(left, str) and re.search(r"[0-9]{6}", left) is not None
    else:
        lengths = [len(one) for one in factors if isinstance(one, str | bytes | list | tuple)]
        sized = any(isinstance(one, int) and length * one > LONGEST for one in factors for length in lengths)
    if sized:
        raise OverflowError(f"the template multiplies beyond {LONGEST:,} characters or {MOST_DIGITS:,} digits")


def _json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _generation() -> Any:
    """The tag `{% generation %}`, which marks the assistant's words and does not change the text."""
    from jinja2.ext import Extension

    class Generation(Extension):
        tags = {"generation"}  # noqa: RUF012 - jinja2 declares it of instances

        def parse(self, parser: Any) -> Any:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    return Generation
