"""The number of tokens of an example, counted with the model's tokenizer and, if available, its chat template.

Nothing is downloaded: a tokenizer is a `tokenizer.json`, a folder with one, or the id of a model in the Hugging Face
cache. The template comes from `chat_template.jinja` or `tokenizer_config.json` beside it, and is rendered without the
opening of a next turn, as in `hbspec.chat_templates`. Without a template, the contents are counted, and the tokens of
the template are estimated per message as in `measures.py`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from hbspec.chat_templates.rendering import TemplateRefusedError, renderer
from hbspec.dataset.measures import Measure, Tokens, UncountedError, around
from hbspec.dataset.quoting import LONGEST_SENTENCE, quoted
from hbspec.dataset.records import STANDARD, Record
from hbspec.dataset.turns import conversation_of

TOKENIZER = "tokenizer.json"
INSTALL = 'this needs `pip install "hbspec[data]"`'
SHOWN_DIGITS = 12
MODEL_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")

Render = Callable[[Record], str]


class TokenizerError(ValueError):
    """The tokenizer does not exist here, or cannot be used; the message says why."""


def counting(name: str, given: str | None = None) -> Measure:
    """A measure that counts tokens with a tokenizer: a file, a folder, or the id of a model in the Hugging Face cache.

    Args:
        name: the tokenizer.
        given: the text of a chat template, instead of the tokenizer's own.

    Raises:
        TokenizerError: the tokenizer does not exist or cannot be read, or a required library is not installed.
    """
    path = _file(name)
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise TokenizerError(f"{name}: {INSTALL}") from None
    try:
        content = path.read_bytes()
        tokenizer = Tokenizer.from_buffer(content)
    except Exception as reason:  # the library raises plain exceptions
        raise TokenizerError(f"{path}: not a tokenizer ({reason})") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    identity = f"counted with the tokenizer {sha256(content).hexdigest()[:SHOWN_DIGITS]}"
    own, settings = _template(path.parent)
    template = own if given is None else given
    if template is None:
        return _Words(tokenizer, f"{identity}, which has no chat template; 1 to 5 tokens of one assumed a message")
    special = {key: _text(value) for key, value in settings.items() if key.endswith("_token") and value is not None}
    mark = sha256(json.dumps([template, special], sort_keys=True).encode()).hexdigest()[:SHOWN_DIGITS]
    return _Rendered(tokenizer, _renderer(path, template, special), f"{identity} in the template {mark}")


class _Rendered:
    """Counts the tokens of an example as rendered by the chat template, which adds the special tokens."""

    def __init__(self, tokenizer: Any, render: Render, method: str) -> None:
        self._tokenizer, self._render, self.method = tokenizer, render, method

    def __call__(self, records: Sequence[Record]) -> list[Tokens]:
        """The tokens of each example."""
        texts = [None if record.layout.format == STANDARD else self._render(record) for record in records]
        counts = iter(_counts(self._tokenizer, [text for text in texts if text is not None]))
        pairs = zip(records, texts, strict=True)
        found = (_plain(self._tokenizer, record) if text is None else next(counts) for record, text in pairs)
        return [(count, count, count) for count in found]


class _Words:
    """Counts the tokens of the contents, and estimates those of the template."""

    def __init__(self, tokenizer: Any, method: str) -> None:
        self._tokenizer, self.method = tokenizer, method

    def __call__(self, records: Sequence[Record]) -> list[Tokens]:
        """The tokens of each example."""
        counts = iter(_counts(self._tokenizer, [text for record in records for text in record.contents]))
        found = []
        for record in records:
            words = sum(next(counts) for _ in record.roles)
            more = around(record)
            low, expected, high = (words + round(end) for end in (more.low, more.expected, more.high))
            found.append((low, expected, high))
        return found


def _plain(tokenizer: Any, record: Record) -> int:
    """The tokens of a plain text, with those that the tokenizer adds, and its end (TRL's `add_eos`)."""
    return len(tokenizer.encode("".join(record.contents))) + 1


def _counts(tokenizer: Any, texts: Sequence[str]) -> list[int]:
    encoded = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    return [len(entry) for entry in encoded]


def _file(name: str) -> Path:
    path = Path(name)
    if path.is_dir() and (path / TOKENIZER).is_file():
        return path / TOKENIZER
    if path.is_file():
        return path
    if not MODEL_ID.fullmatch(name):
        raise TokenizerError(f"{name} is neither a {TOKENIZER} nor a folder with one")
    cache = _cache()
    model = cache / f"models--{name.replace('/', '--')}"
    try:
        revision = (model / "refs" / "main").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        raise TokenizerError(
            f"{name} is neither a {TOKENIZER} nor a folder with one, and is not in the Hugging Face cache ({cache}); "
            f"download it with `hf download {name} --include 'token*' 'chat_template*'`"
        ) from None
    found = model / "snapshots" / revision / TOKENIZER
    if not found.is_file():
        raise TokenizerError(f"{name} is in the Hugging Face cache, but without its {TOKENIZER}")
    return found


def _cache() -> Path:
    """The cache folder of `huggingface_hub` (its documentation, "Environment variables")."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    return Path(os.environ.get("HF_HUB_CACHE") or home / "hub")


def _template(folder: Path) -> tuple[str | None, dict[str, Any]]:
    """The chat template beside a tokenizer (None without one), and the tokenizer's settings."""
    try:
        read = json.loads((folder / "tokenizer_config.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        read = {}
    settings = read if isinstance(read, dict) else {}
    try:
        return (folder / "chat_template.jinja").read_text(encoding="utf-8"), settings
    except (OSError, ValueError):
        template = settings.get("chat_template")
    if isinstance(template, list):  # several templates by name
        named = {entry.get("name"): entry.get("template") for entry in template if isinstance(entry, dict)}
        template = named.get("default")
    return template if isinstance(template, str) else None, settings


def _renderer(path: Path, template: str, special: Mapping[str, str]) -> Render:
    try:
        rendered = renderer(template, special)
    except ImportError:
        raise TokenizerError(f"{path} has a chat template; {INSTALL}") from None
    except TemplateRefusedError as reason:
        raise TokenizerError(f"{path.parent}: the chat template cannot be read ({reason})") from None

    def render(record: Record) -> str:
        try:
            return rendered(conversation_of(record), False)
        except Exception as reason:  # a template can raise any exception
            raise UncountedError(record, quoted(str(reason), LONGEST_SENTENCE)) from None

    return render


def _text(value: Any) -> str:
    """The text of a special token, which older files store as a mapping."""
    return str(value.get("content")) if isinstance(value, dict) else str(value)
