"""Stands for the framework that runs the recipes beside it."""
