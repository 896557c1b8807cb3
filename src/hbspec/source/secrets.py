"""Texts that look like credentials, and how they are blacked out.

The forms are the published ones of Hugging Face, AWS, OpenAI and its likes, GitHub, GitLab and Slack, JSON Web Tokens
(RFC 7519), PEM private keys (RFC 7468), passwords in URLs (RFC 3986, section 3.2.1) and signatures in presigned S3
URLs; besides, any value that is called a password, a secret, a token or a key. A credential without any of these marks
is not seen.
"""

from __future__ import annotations

import re
from functools import cache

# In every pattern the empty group () stands where hiding begins; repetitions are bounded, so that no text takes long.
_START = r"(?<![\w-])"
_FORMS = (
    rf"{_START}hf_()[A-Za-z0-9]{{20,200}}",
    rf"{_START}(?:AKIA|ASIA)()[A-Z0-9]{{16}}(?!\w)",
    rf"{_START}sk-()(?=[\w-]{{0,200}}?[A-Z])(?=[\w-]{{0,200}}?[0-9])[\w-]{{20,200}}",
    rf"{_START}(?:gh[opsur]_|github_pat_|glpat-)()[\w-]{{20,255}}",
    rf"{_START}xox[abeoprs]-()[\w-]{{10,255}}",
    rf"{_START}eyJ()[\w-]{{8,4096}}\.eyJ[\w-]{{8,4096}}\.[\w-]{{8,4096}}",
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----()(?:(?!-----END)[\s\S])*",
    r"://[^\s/:@\"']{0,200}:()[^\s/@\"']{1,200}(?=@)",
)
_NAME = rf"""{_START}[\w-]{{0,100}}?(?:
    pass(?:word|wd|phrase) | secret(?:[_-]?access)?(?:[_-]?key)? | (?:api|access|private|account)[_-]?key
    | credentials? | amz-signature | authorization
    | (?:{_START} | (?:access|api|auth|bearer|hf|hub|refresh|security|session|slack)[_-]?)
      token(?!["']?\s?[:=]\s?["']?[-+.\d]+(?!\S))
    )["']?"""
# A reference, a placeholder, a truth value or a nested map is not the secret itself.
_VALUE = (
    r"""(?!["']?(?:arn:|s3:|[$<*!&{\[] | (?:null|none|true|false|yes|no|~)(?:[\s,\]}"']|$)) | [\w.-]{1,100}:(?:\s|$))"""
)
_NAMED = (
    rf"""^[ \t]{{0,200}}(?:-[ \t]+)?["']?{_NAME}:[ \t]{{1,99}}{_VALUE}()[^\s"'|>][^\r\n]{{2,4096}}""",
    rf"""{_NAME}\s{{0,99}}[:=]\s{{0,99}}(?:[|>][-+0-9]{{0,2}}\s{{1,99}})?{_VALUE}(?:
        "()[^"\r\n]{{3,4096}} | '()[^'\r\n]{{3,4096}} | ()[^\s"',;\]}}|>][^\s,;\]}}&]{{2,4096}})""",
)


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(f"{'|'.join(_FORMS)}|(?ix:{'|'.join(_NAMED)})", re.MULTILINE)


def looks_secret(text: str) -> bool:
    """Whether the text holds something like a credential; give `name: value` to have the name considered.

    >>> looks_secret("password: correct-horse"), looks_secret("pad_token: <|endoftext|>")
    (True, False)
    """
    return _pattern().search(text) is not None


def redact(text: str) -> str:
    """The text with every credential starred out; it stays as long, so that columns still point at their places.

    >>> redact("token: 8b1a9953c4611296")
    'token: ****************'
    """
    return _pattern().sub(_starred, text)


def _starred(match: re.Match[str]) -> str:
    whole = match.group()
    shown = max(map(match.start, range(1, match.re.groups + 1))) - match.start()
    return whole[:shown] + re.sub(r"[^\r\n]", "*", whole[shown:])
