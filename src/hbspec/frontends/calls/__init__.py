"""Calls in Python files and notebooks, read by `ast`: what they say, and what is computed. Nothing is run."""
