"""`license` is not the licence that the model is published under.

Why: The licence decides who may use a model for what, and a spec is often the only place where a reviewer sees it.
`license` is compared with the licence on the publisher's page.

Example:

    model: {license: apache-2.0}

Instead:

    model: {license: MIT}

References:

    https://huggingface.co/docs/hub/repositories-licenses
    https://huggingface.co/deepseek-ai/DeepSeek-R1-Distill-Qwen-32B
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity, known
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("model", "license")
UNSAID = ("the", "license", "licence", "community", "agreement", "version", "v")
"""Words that do not distinguish one licence from another."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the asserted licence with the catalog's; "Apache 2.0" means apache-2.0, and so does "Apache"."""
    asserted, model = analysis.spec.model.license, analysis.catalog.models.get(analysis.spec.model.id or "")
    if asserted is None or model is None:
        return
    published = known(model.license, f"the licence of {model.id}")
    if not same_license(asserted, published):
        yield RULE.at(
            ROUTE,
            f"license is {asserted}, but {model.id} is published under {published}",
            f"set license: {published}, once you have read its terms",
            fixes=(Fix(f"change it to {published}", ROUTE, published),),
        )


def same_license(asserted: str, published: str) -> bool:
    """Whether both name one licence, the asserted one perhaps without its version."""
    said, true = _bare(asserted), _bare(published)
    return said == true or (bool(said) and true.startswith(said) and not said[-1].isdigit())


def _bare(text: str) -> str:
    """The words that distinguish a licence, joined: `apache2.0` for "Apache License 2.0"."""
    words = text.lower().replace("-", " ").replace("_", " ").replace(",", " ").split()
    return "".join(word for word in words if word not in UNSAID)
