"""`serve.sh`: vLLM's server, installed on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from shlex import quote

from hbspec.targets.lowering.shell import HERE, opening
from hbspec.targets.own_machine.places import PORT, base_folder, first_answer, model_folder, said, usage, word


def program_lines(
    about: str,
    release: str,
    arguments: Sequence[tuple[str, Sequence[str]]],
    variables: Mapping[str, str],
    *,
    base: str | None,
    merged: bool,
    standing: str,
) -> list[str]:
    """The lines of `serve.sh`.

    Args:
        about: a sentence that says what the script does.
        release: of vLLM.
        arguments: of the server but for the model: names without dashes, each with its words.
        variables: of the server's environment.
        base: id of the base model on the Hub; None where it is a folder, or the model is whole.
        merged: whether the model is whole.
        standing: what is said at the start of the model's evaluation; empty without one.
    """
    packages = f"vllm=={release}" + (" bitsandbytes" if ("quantization", ["bitsandbytes"]) in arguments else "")
    notes = ["# Further arguments go to vLLM, where they win. HF_TOKEN is the Hub's token, for gated weights."]
    if base is not None:
        notes.append("# BASE_MODEL may name another place of the base model, such as a folder.")
        place = [f"base=${{BASE_MODEL:-{quote(base)}}}"]
    else:
        place = [] if merged else [*base_folder()]
    return [
        *opening(about, *usage("serve.sh", base=base, merged=merged), *notes),
        f"here=$(cd -- {HERE} && pwd)",
        *model_folder(merged=merged),
        *place,
        "if ! command -v vllm > /dev/null; then",
        f'  echo "vllm is not installed: run pip install {packages}, or docker-run.sh" >&2',
        "  exit 1",
        "fi",
        *said(standing),
        *(f"export {name}={quote(value)}" for name, value in variables.items()),
        *first_answer("v1/chat/completions"),
        f'exec vllm serve "${"model" if merged else "base"}" \\',
        f'  --host 127.0.0.1 --port "{PORT}" \\',
        *(f"  {' '.join([f'--{name}', *map(word, words)])} \\" for name, words in arguments),
        '  "$@"',
    ]
