"""What a plan needs, takes and costs: pure functions of a plan, one module a quantity, each result itemised.

Import from the modules: `hbspec.estimators.memory`, `.time`, `.cost`, `.serving`.
"""
