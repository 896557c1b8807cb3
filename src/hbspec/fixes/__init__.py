"""Fixes of findings: applied to a spec's text, judged again, and kept only if they do what they say."""
