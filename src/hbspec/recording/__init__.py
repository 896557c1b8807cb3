"""Recordings of models: what a layer's operators allocate and keep, read off the model that transformers builds.

Only `hbspec model add` loads this package; it needs torch and transformers (the extra `train`).
"""
