"""Beginnings of the keys of tags that an author cannot use.

https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
"""

from __future__ import annotations

OF_AWS = "aws:"
OF_HBSPEC = "hbspec:"
"""By these a deployment knows what it has made, and a bill shows all attempts at a job."""
OWNERS = {OF_AWS: "AWS", OF_HBSPEC: "hbspec's own tags"}
"""Whom each beginning is reserved for; capitals and small letters are the same."""
