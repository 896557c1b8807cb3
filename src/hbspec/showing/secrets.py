"""Detection of credentials in text, and their redaction.

The forms are those that issuers publish and that public scanners look for (gitleaks, detect-secrets, GitHub secret
scanning; `tests/showing/secret_corpus.py` names a source for each), JSON Web Tokens (RFC 7519), PEM private keys
(RFC 7468) and passwords in URLs (RFC 3986, section 3.2.1); also any value that is named a password, a secret, a token
or a key. A credential without any of these marks is not detected.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain, pairwise
from math import log2

from hbspec.showing.invisible import unseen

Route = tuple[str | int, ...]
"""As in `hbspec.diagnostics`, which this package does not import."""

REDACTED = "<redacted>"
"""The replacement in a route for a key that contains a credential."""

# In every pattern the empty group () marks where hiding begins; repetitions are bounded to limit the running time.
# The forty characters of an AWS secret key do not begin after the `//` of a URI, nor are they part of longer base64.
# The hidden part of a form matches no quote, brace or space, so that JSON and YAML stay intact when it is starred out.
_HEX = "[0-9A-Fa-f]"
_ESCAPED = (r"\\[abefnrtv0]", rf"\\x{_HEX}{{2}}", rf"\\u{_HEX}{{4}}", rf"\\U{_HEX}{{8}}", rf"%{_HEX}{{2}}")
"""A character as JSON, YAML, Python or a URI spells it: what follows it does not follow a letter."""
_FORM_START = rf"(?:(?<![A-Za-z0-9])|{'|'.join(f'(?<={one})' for one in _ESCAPED)})"
_LONG = r"(?=[\w.:/+~%=-]{15}|[Bb]earer[ ])"  # no form is shorter; this alone rules out most words
_ALPHANUMERIC = (
    "hf_|api_org_|gh[opsur]_|npm_|r8_|gsk_|rpa_|xai-|tvly-|lin_api_|ntn_|shp(?:at|ca|pa|ss)_|sbp_|NRAK-|LTAI|fw_|jina_"
    "|(?:sk|rk)_(?:live|test|prod)_|do[opr]_v1_|dapi|glsa_|wandb_v1_|AGE-SECRET-KEY-1|pplx-|rubygems_|KGAT_|csk-|ATBB"
)
_WITH_SIGNS = (
    "github_pat_|AIza|nvapi-|pypi-AgE|dckr_[op]at_|GOCSPX-|PMAK-|lsv2_(?:pt|sk)_|sntryu_|tvly-(?:dev|prod)-|tgp_v1_"
    "|HRKU-|sq0(?:atp|csp)-"
)
_WITH_DOTS = "gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent|ffct|oas)-|ya29[.]|hv[sb][.]|pscale_(?:tkn|pw|oauth)_|AT[AC]TT3"
_UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_DIGITS_IN_BASE64 = r"(?:[MNO][DTjz][AEIMQUYcgk][w-z0-5])"  # of three decimal digits
# A refresh token of Google begins with `1//0`; if it was normalised as a path, one slash is left.
_FORMS = (
    rf"(?:{_ALPHANUMERIC})()[A-Za-z0-9]{{20,255}}[\w-]{{0,255}}",
    rf"(?:{_WITH_SIGNS})()[\w-]{{20,512}}",
    rf"(?:{_WITH_DOTS})()[\w.=-]{{19,1024}}[\w=-]",
    r"(?:A3T[A-Z0-9]|A[KS]IA|ABIA|ACCA)()[A-Z0-9]{16}(?![A-Za-z0-9])",
    r"sk-()(?:[0-9a-f]{32,128}(?![\w-])|(?:ant|proj|svcacct|admin|or-v1)-[\w-]{20,200}|(?=[\w-]{0,200}?[A-Z])(?=[\w-]{0,200}?[0-9])[\w-]{20,200})",
    rf"(?:[ps]k-lf|pat-[a-z]{{2}}[0-9])-(){_UUID}",
    r"(?:r8_()[\w-]{37}|xai-()\w{60,128})(?![\w-])",
    r"xox[abceoprs]-()[\w-]{10,255}",
    r"xoxd-()[\w%/+=.-]{20,512}",
    r"xapp-[0-9]-()[\w-]{20,255}",
    r"hooks[.]slack[.]com/(?:services|workflows|triggers)/()[\w/+-]{20,200}",
    r"discord(?:app)?[.]com/api/webhooks/()[0-9]{10,25}/[\w-]{20,200}",
    rf"{_DIGITS_IN_BASE64}{{5}}()[\w-]{{3,8}}[.][\w-]{{6}}[.][\w-]{{27,48}}",
    r"[0-9]{8,10}:AA()[\w-]{33}(?![\w-])",
    r"SG[.]()[\w-]{16,64}[.][\w-]{16,128}",
    r"dp[.](?:[cps]t|sa|scim|audit)[.]()(?:[\w-]{2,35}[.])?[A-Za-z0-9]{40,44}",
    r"dt0[cs][0-9]{2}[.]()[A-Z0-9]{8,24}[.][A-Z0-9]{64}",
    r"eyJ()[\w-]{8,4096}[.]eyJ[\w-]{8,4096}[.][\w-]{8,4096}",
    r"(?:(?:glc|ops|sntrys)_eyJ|bedrock-api-key-)()[\w+/=-]{40,4096}",
    r"(?:ABSK|fm(?:1[ar]|2)_)()[A-Za-z0-9+/]{80,4096}={0,3}",
    r"EAA[B-Za-z]()[A-Za-z0-9]{90,512}(?![\w+/=])",
    r"(?:whsec_()[A-Za-z0-9+/]{24,128}={0,2}|fo1_()[\w-]{43}(?![\w-])|1//()0[\w-]{40,400}|1/()0[\w-]{80,400})",
    r"(?:FwoGZXIvYXdz|IQoJb3JpZ2lu)()[\w/+=%-]{50,4096}",
    r"[\w~.]{3}[0-9]Q~()[\w~.-]{31,34}",
    r"[Bb]earer[ ]()[\w.~+/=-]{20,4096}",
    r"(?<!:/)(?<!//)(?!//)()(?P<random>[A-Za-z0-9+/]{40})(?![A-Za-z0-9+]|=+(?:[\s\"',]|$))(?![A-Za-z0-9+/]{80})",
)
_ANYWHERE = (
    r"-----BEGIN[ ][A-Z ]{0,40}PRIVATE[ ]KEY(?:[ ]BLOCK)?-----()(?:(?!-----END)[A-Za-z0-9+/=\s\\:,.*-])*",
    r":/{1,2}[^\s/:@\"']{0,200}:()[^\s/@\"']{1,200}(?=@)",
    r"https?:/{1,2}()(?=[\w.~%-]{0,200}[0-9])[\w.~%-]{16,200}(?=@)",
    r"[.]atlasv1[.]()[\w=-]{60,80}",
    r"sig(?<![A-Za-z]sig)=()[A-Za-z0-9%+/]{40,200}={0,2}",
)
_FORM = rf"{_FORM_START}{_LONG}(?:{'|'.join(_FORMS)})|{'|'.join(_ANYWHERE)}"

_START = r"(?<![\w-])(?<![0-9]:)"  # not the `secret` of an ARN, after its account
_NAME = rf"""{_START}[\w-]{{0,100}}?(?:
    pass(?:word|wd|phrase) | secret(?:[_-]?access)?(?:[_-]?key)? | (?:api|access|private|account)[_-]?key
    | credentials? | amz-signature | authorization
    | (?:{_START} | (?:access|api|auth|bearer|hf|hub|refresh|security|session|slack)[_-]?)
      token(?!["']?\s?[:=]\s?["']?[-+.\d]+(?!\S))
    )(?:\\?["'])?"""
# A reference, a placeholder or a boolean is not the secret itself; nor is a key on a following line.
_VALUE = r"""(?!["']?(?:arn:|s3:|[$<*!&{\[] | (?:null|none|true|false|yes|no|~)(?:[\s,\]}"']|$)))"""
_PROPERTIES = r"""(?:[&!][^\s,\[\]{}]{0,200}[ \t]{1,99}){0,2}"""
"""An anchor and a tag before the value (YAML 1.2.2, section 6.9)."""
_BELOW = r"[ \t]{0,99}[\r\n]\s{0,99}(?![\w.-]{1,100}:(?:\s|$))"
_BLOCK = r"[|>][-+0-9]{0,2}"
_WORD = r"[^\s,;\]}&]"
_WORDS = rf"""()[^\s"',;\]}}|>](?:{_WORD} | (?<!["'])[ \t]{{1,9}}(?![#"']){_WORD}){{2,4096}}"""
"""Of several words, as in `Authorization: Basic ...`; not past the quote that closes them, nor into a comment."""
_ON_NEXT_LINES = r"""(?:\r?\n[ \t]{1,200}[^\s:,;\[{\]}\#"'|>-][^:,;\[{\]}\r\n]{0,4096}(?=[,\]}])){0,1}"""
"""A plain value inside brackets may go on on the next line, up to one of its delimiters."""
_QUOTED = r"""
    \\"()(?:(?!\\")[^\r\n]){3,4096}
    | "()(?:(?:[^"\\] | \\[\s\S]){3,4096}(?=") | [^"\r\n]{3,4096})
    | '()(?:(?:[^'] | \'\'){3,4096}(?=') | [^'\r\n]{3,4096})"""
"""A quoted value may have many lines; where its end is missing, it has one."""
_PARAMETERS = r"(?:aws4-hmac-sha256|digest|hawk|oauth|signature)"
"""Schemes of `Authorization` whose credentials are lists (https://www.iana.org/assignments/http-authschemes)."""


def _indented(by: str) -> str:
    """The lines below one that is indented by `(?P<by>)`, as long as they are indented by more."""
    return rf"(?:\r?\n(?:(?P={by})[ \t]{{1,200}}[^\s][^\r\n]{{0,4096}} | [ \t]{{0,200}}(?=\r?\n))){{0,200}}"


_LINE = rf"""{_PROPERTIES}{_VALUE}(?:{_BLOCK}[ \t]{{0,99}}\r?\n\s{{1,200}})?()[^\s"'|>][^\r\n]{{2,4096}}"""
_NAMED = (
    rf"""{_START}[\w-]{{0,100}}?authorization(?:\\?["'])?\s{{0,9}}[:=]\s{{0,9}}(?:\\?["'])?
        (){_PARAMETERS}[ ][^\r\n]{{3,4096}}""",
    rf"""^(?P<key>[ \t]{{0,200}})["']?{_NAME}:[ \t]{{1,99}}{_LINE}{_indented("key")}""",
    rf"""^(?P<item>[ \t]{{0,200}})-[ \t]{{1,9}}["']?{_NAME}:[ \t]{{1,99}}{_LINE}""",
    rf"""{_NAME}\s{{0,99}}:(?:{_BELOW}|[ \t]{{0,99}}){_PROPERTIES}(?:{_BLOCK}\s{{1,99}})?{_VALUE}(?:
        {_QUOTED} | {_WORDS}{_ON_NEXT_LINES})""",
    rf"""{_NAME}\s{{0,99}}=(?:{_BELOW}|[ \t]{{0,99}}){_PROPERTIES}{_VALUE}(?:
        {_QUOTED} | ()(?:(?:basic|bearer|token|apikey)[ ])?[^\s"',;\]}}|>]{_WORD}{{2,4096}})""",
)
_NO_NAME = r"(?!(?-i:[A-Z]+(?:_[A-Z]+)*)(?:\s|$))"
_FLAG = rf"""(?<!\S)(?=--){_NAME.replace(_START, "", 1)}[ \t]{{1,99}}(?!-){_VALUE}{_NO_NAME}(?:
    {_QUOTED} | ()[^\s"']{{3,4096}})"""
"""A flag of a command line, with its value as the next word."""
_FLOW = rf"""{_NAME}\s{{0,99}}[:=][ \t]{{0,99}}{_PROPERTIES}(?=[\[{{])()[^\r\n]{{3,4096}}"""
"""A list or a mapping below the name, on its line: starred out where it is shown, but ordinary in a program."""
_USERINFO = r"https?:/{1,2}()[^\s/:@\"'<>{}]{1,200}(?=@)"
"""Whoever a URL names before its host: a token, or a person's name, which is not refused (RFC 3986, section 3.2.1)."""
_ENDS = "(?:passw(?:or)?d|passphrase|secret|access|key|credentials?|signature|authorization|token)"
_NAMES_END = rf"""{_ENDS}(?:\\?["'])?\s{{0,99}}[:=]|--[\w-]{{0,100}}?{_ENDS}[ \t]"""
"""The end of every name of `_NAME`, and what follows it. Only a text with one is searched for names, as the pattern for
them takes long to compile."""
CHANGES, ENTROPY, SLASHES, IN_WORDS, OF_EACH_CASE = 14, 4.4, 4, 19, 5
"""Limits for forty random characters, with the expected values in parentheses: at least `CHANGES` neighbours of
different kinds (capital, small letter, digit, sign; 25), at least `ENTROPY` bits per character (4.8), at most `SLASHES`
slashes (0.6), at most `IN_WORDS` characters in runs of three or more small letters (6; about 25 in names made of
words), and at least `OF_EACH_CASE` capitals and small letters (16 each)."""


@cache
def _forms() -> re.Pattern[str]:
    return re.compile(_FORM)


@cache
def _names_end() -> re.Pattern[str]:
    return re.compile(_NAMES_END, re.IGNORECASE)


@cache
def _named() -> re.Pattern[str]:
    return re.compile("|".join((*_NAMED, _FLAG)), re.MULTILINE | re.IGNORECASE | re.VERBOSE)


@cache
def _userinfo() -> re.Pattern[str]:
    return re.compile(_USERINFO, re.IGNORECASE)


@cache
def _flow() -> re.Pattern[str]:
    return re.compile(_FLOW, re.IGNORECASE | re.VERBOSE)


def is_secret_name(name: str) -> bool:
    """Whether a value of this name is a secret, whatever it is.

    >>> is_secret_name("DB_PASSWORD"), is_secret_name("max_tokens")
    (True, False)
    """
    entry = f"{unseen().sub('', name)}: {'x' * 8}"
    return _may_be_named(entry) and _named().search(entry) is not None


def looks_secret(text: str) -> bool:
    """Whether the text appears to contain a credential; pass `name: value` to have the name considered.

    >>> looks_secret("password: correct-horse"), looks_secret("pad_token: <|endoftext|>")
    (True, False)
    """
    return _has_form(text) or any(_may_be_named(one) and _named().search(one) is not None for one in _readings(text))


def has_published_form(text: str) -> bool:
    """Whether the text contains a credential with its issuer's mark; forty random characters have none.

    >>> has_published_form("hf_abcdefghijklmnopqrstuvwx"), has_published_form("password: correct-horse")
    (True, False)
    """
    return any(match["random"] is None for reading in _readings(text) for match in _of_a_form(reading))


def redact(text: str) -> str:
    r"""The text with every credential starred out; its length is unchanged, so that columns remain valid.

    Characters that are not seen neither hide a name nor split a credential.

    >>> redact("token: 8b1a9953c4611296"), redact("to\u200bken: 8b1a9953c4611296").replace("\u200b", "")
    ('token: ****************', 'token: ****************')
    """
    return _through_unseen(text, _redacted)


def _redacted(text: str) -> str:
    starred = _userinfo().sub(_starred, _without_forms(text))
    if not _may_be_named(starred):
        return starred
    starred = _named().sub(_starred, starred)
    return _flow().sub(_starred, starred) if "[" in starred or "{" in starred else starred


def _through_unseen(text: str, redacted: Callable[[str], str]) -> str:
    """What is starred out of a text, and of the text without the characters that are not seen."""
    starred, *others = map(redacted, _readings(text))
    if not others:
        return starred
    bare = iter(others[0])
    seen = (sign if unseen().match(sign) else next(bare) for sign in text)
    return "".join("*" if "*" in (one, other) else one for one, other in zip(starred, seen, strict=True))


def redact_forms(text: str) -> str:
    """The text with credentials of a known form starred out; quotes, braces and spaces are never starred out.

    >>> redact_forms('{"id": "hf_abcdefghijklmnopqrstuvwx", "token": "short"}')
    '{"id": "hf_************************", "token": "short"}'
    """
    return _through_unseen(text, _without_forms)


def redact_route(route: Route) -> Route:
    """The route with `REDACTED` in place of every key that contains a credential."""
    if not _has_form("\n".join(map(str, route))):
        return route
    return tuple(REDACTED if isinstance(part, str) and _has_form(part) else part for part in route)


def _has_form(text: str) -> bool:
    return next(chain.from_iterable(map(_of_a_form, _readings(text))), None) is not None


def _of_a_form(text: str) -> Iterator[re.Match[str]]:
    """The credentials of known forms; one may begin within forty characters that are none, as at the end of a path."""
    start = 0
    while (match := _forms().search(text, start)) is not None:
        found = _is_credential(match)
        start = match.end() if found else match.start() + 1
        if found:
            yield match


def _without_forms(text: str) -> str:
    """The text with credentials of known forms starred out."""
    parts, end = [], 0
    for match in _of_a_form(text):
        parts += [text[end : match.start()], _starred(match)]
        end = match.end()
    return "".join([*parts, text[end:]])


def _readings(text: str) -> tuple[str, ...]:
    """The text, and the text without the characters that are not seen, if it has any."""
    return (text,) if unseen().search(text) is None else (text, unseen().sub("", text))


def _may_be_named(text: str) -> bool:
    return _names_end().search(text) is not None


def _is_credential(match: re.Match[str]) -> bool:
    """Whether a match is a credential: forty characters must look random, because AWS secret keys have no prefix."""
    text = match.groupdict().get("random")
    if text is None:
        return True
    kinds = ["A" if sign.isupper() else "a" if sign.islower() else "0" if sign.isdigit() else "/" for sign in text]
    changes = sum(kind != after for kind, after in pairwise(kinds))
    in_words = sum(map(len, re.findall("[a-z]{3,}", text)))
    is_mixed = min(kinds.count("A"), kinds.count("a")) >= OF_EACH_CASE and "0" in kinds
    is_random = is_mixed and changes >= CHANGES and _entropy(text) >= ENTROPY
    return is_random and text.count("/") <= SLASHES and in_words <= IN_WORDS


def _entropy(text: str) -> float:
    """The entropy of a text in bits per character (Shannon, 1948)."""
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * log2(share) for share in shares)


def _starred(match: re.Match[str]) -> str:
    whole = match.group()
    shown = max(map(match.start, range(1, match.re.groups + 1))) - match.start()
    return whole[:shown] + re.sub(r"[^\r\n]", "*", whole[shown:])
