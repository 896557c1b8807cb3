"""Defects of the configuration, and of comments that allow findings: HB070 and HB071."""

from __future__ import annotations

from hbspec.diagnostics import Severity
from hbspec.manual.page import Page

UNUSABLE = Page(
    "HB070",
    "configuration-unusable",
    "The configuration cannot be used.",
    "A key with a typo, a code that does not exist or a value of another kind would silently report more or less than "
    "was asked for, so nothing is judged before it is corrected. Credentials (HB605), specs that cannot be read "
    "(HB001 to HB069) and what breaks a policy (HB680 to HB697) are reported whatever is configured.",
    '# hbspec.toml: ignores = ["HB206"]\n# hbspec check spec.yaml',
    '# hbspec.toml: ignore = ["HB206"]\n# hbspec check spec.yaml',
)
ALLOWS_NOTHING = Page(
    "HB071",
    "allowance-without-effect",
    "A comment allows a finding that is not there.",
    "The finding was corrected, or the comment is at another line than the finding, or its code has a typo. A comment "
    "that is left behind would hide the next finding of that code at its place. It is not reported where the code's "
    "rule was skipped or is not selected. The published form of a credential, and what breaks a policy, no comment "
    "allows.",
    "hyperparameters: {learning_rate: 1e-4, max_length: 512} # hbspec: allow HB205",
    "hyperparameters: {learning_rate: 1e-4, max_length: 512}",
    Severity.WARNING,
)

PAGES = {page.code: page for page in (UNUSABLE, ALLOWS_NOTHING)}
