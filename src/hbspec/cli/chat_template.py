"""The option `--chat-template` of the commands that read data: a shipped template, or a file."""

from __future__ import annotations

from pathlib import Path

from hbspec.cli.command import MisuseError, Parameter

TEMPLATE = Parameter(
    "template",
    "The chat template of the job (`data.chat_template`): a shipped one, such as `llama3`, or a `.jinja` file.",
    ("--chat-template",),
    "TEMPLATE",
)


def template_text(word: str | None) -> str | None:
    """The text of the template that a word names; None without one.

    Raises:
        MisuseError: the word names none, or the template cannot train conversations; the message says why.
        OSError: the file cannot be read.
    """
    if word is None:
        return None
    from hbspec.catalog import catalog
    from hbspec.chat_templates.trial import fault_of
    from hbspec.dataset.quoting import LONGEST_SENTENCE, quoted

    shipped = catalog().chat_templates
    if word not in shipped and not Path(word).exists():
        raise MisuseError(f"--chat-template {word} is not one of {', '.join(shipped)}, and no file has this name")
    try:
        text = catalog().chat_template(word) if word in shipped else Path(word).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MisuseError(f"--chat-template {word} is not UTF-8 text") from None
    try:
        fault = fault_of(text)
    except ImportError:
        raise MisuseError('--chat-template needs `pip install "hbspec[data]"`') from None
    if fault is not None:
        raise MisuseError(f"--chat-template {word} {quoted(fault, LONGEST_SENTENCE)}")
    return text
