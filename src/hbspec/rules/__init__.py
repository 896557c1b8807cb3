"""One file a defect; see `docs/adding-a-rule.md`."""
