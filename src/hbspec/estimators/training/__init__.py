"""GPU memory while training."""
