"""The fixture that opens a file of another program."""

from frontends_cases import opened as opened
