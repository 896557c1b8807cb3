"""How a file that hbspec wrote as a report is told from another, so that only a report is replaced."""

from __future__ import annotations

HTML = '<meta name="generator" content="hbspec report">'
MARKDOWN = "<!-- hbspec report -->"
MARKS = (HTML, MARKDOWN)
