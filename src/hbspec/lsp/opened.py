"""The texts that are open in an editor, and what was found in each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pygls.uris import to_fs_path

from hbspec.analysis import Analysis
from hbspec.api import Judgement, judgement
from hbspec.catalog.price_file import PriceFileError
from hbspec.configuration import EVERYTHING, Configuration, ConfigurationError
from hbspec.configuration.baseline import read_baseline
from hbspec.configuration.file import read
from hbspec.configuration.place import found_from
from hbspec.diagnostics import Confidence, Diagnostic, Report, Severity
from hbspec.manual.configuration import UNUSABLE
from hbspec.showing import shown
from hbspec.source.endings import is_json, is_yaml
from hbspec.source.load import STDIN
from hbspec.source.recognise import looks_like_spec
from hbspec.spec import section_keys

if TYPE_CHECKING:
    from hbspec.policy import Policy


@dataclass
class OpenText:
    """One text that is open.

    Attributes:
        file: its path, as messages name it; `-` for one that has none yet.
        version: what the editor counts.
        is_spec: whether it is judged: it looks like a spec, or once did.
        report: what was found in the last state that was judged.
        judged: the text of that state; None before the first.
        analysis: of the last state that could be read and validated.
        extended: the other files that this state was read from.
    """

    uri: str
    file: str
    text: str
    version: int
    is_spec: bool = False
    report: Report | None = None
    judged: str | None = None
    analysis: Analysis | None = None
    extended: frozenset[str] = field(default=frozenset())

    @property
    def real(self) -> Path:
        """The path without links."""
        return Path(os.path.realpath(self.file))


def opened(uri: str, text: str, version: int) -> OpenText:
    """A text that an editor has opened."""
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return OpenText(uri, path or STDIN, text, version)


def recognised(one: OpenText) -> bool:
    """Whether a text is to be judged, as far as its content says."""
    if one.is_spec:
        return True
    named = one.file == STDIN or is_yaml(one.file) or is_json(one.file)
    return named and looks_like_spec(Path(one.file), section_keys(()) or (), one.text)


@dataclass(frozen=True)
class JudgedText:
    """What was found in one state of a text; `extended` are the real paths of the other files it was read from."""

    text: str
    report: Report
    analysis: Analysis | None
    extended: frozenset[str]


def judged(one: OpenText, text: str, unsaved: Mapping[Path, str]) -> JudgedText:
    """The findings in a state of a text, under the configuration that `hbspec check` would find in its folder.

    Where that cannot be used, or a file that it names, this is what is found.
    """
    try:
        return _judged(one, text, unsaved, _configuration(one))
    except ConfigurationError as wrong:
        return JudgedText(text, Report(files=(one.file,), diagnostics=wrong.diagnostics), None, frozenset())


def _priced(
    one: OpenText, text: str, unsaved: Mapping[Path, str], configuration: Configuration, policy: Policy | None
) -> Judgement:
    """The judgement of a text.

    Raises:
        ConfigurationError: the file of prices that the configuration names cannot be used.
    """
    prices = configuration.catalog
    try:
        return judgement(
            one.file, text=text, unsaved=unsaved, configuration=configuration, prices=prices, policy=policy
        )
    except (PriceFileError, OSError) as reason:
        said = f"{prices} cannot be read: {reason.strerror}" if isinstance(reason, OSError) else str(reason)
        entry = Diagnostic(
            UNUSABLE.code, UNUSABLE.name, Severity.ERROR, Confidence.CERTAIN, shown(str(prices)), (), None, shown(said),
            "write it again with `hbspec catalog refresh prices`, or delete `catalog` from the configuration",
        )  # fmt: skip
        raise ConfigurationError((entry,)) from None


def _judged(one: OpenText, text: str, unsaved: Mapping[Path, str], configuration: Configuration) -> JudgedText:
    policy = None
    if configuration.policy is not None:
        from hbspec.policy import read_policy  # which few projects have

        policy = read_policy(configuration.policy)
    found, known = _priced(one, text, unsaved, configuration, policy), configuration.baseline
    analysis = found.analysis
    report = read_baseline(known).without(found.report) if known else found.report
    files = analysis.document.texts if analysis else {entry.file for entry in found.report.diagnostics}
    extended = frozenset(os.path.realpath(file) for file in files if file != one.file)
    return JudgedText(text, report, analysis, extended)


def _configuration(one: OpenText) -> Configuration:
    folder = Path.cwd() if one.file == STDIN else Path(os.path.abspath(one.file)).parent  # noqa: PTH100 - as `load`
    file = found_from(folder)
    return EVERYTHING if file is None else read(file)


def elsewhere(one: OpenText, entry: Diagnostic) -> bool:
    """Whether a finding is in another file than the text."""
    return (entry.span.file if entry.span else entry.file) != one.file
