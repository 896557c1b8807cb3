"""What a deployment needs to be let out: the name of what was trained, and the gate of its evaluation."""
