"""The parser of YAML, whose events both a spec's tree and its excerpts are made from."""

from __future__ import annotations

from typing import Any

import yaml

# libyaml's parser if PyYAML was built with it; both emit the same events.
PARSER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
