"""The life of every tensor of a training step, followed by shape alone: which bytes are alive when, and why."""
