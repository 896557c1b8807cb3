"""The fixture that opens a file of another program."""

from frontends_cases import opened as opened
from sagemaker_cases import coded as coded
