"""What a target is: an analysis is lowered to a decision, and the decision emitted as files."""
