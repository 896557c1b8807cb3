"""What is reported: which codes, how severe, for which files, and what a baseline holds already."""

from hbspec.configuration.configuration import EVERYTHING, Configuration, ConfigurationError

__all__ = ["EVERYTHING", "Configuration", "ConfigurationError"]
