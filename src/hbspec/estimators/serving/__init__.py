"""The endpoint: its memory, speed under load and cost."""
