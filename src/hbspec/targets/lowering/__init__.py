"""The form of targets: an analysis is lowered to a decision, and the decision is emitted as files."""
