"""Shared code of the targets that start training: source files, command line and hyperparameters."""
