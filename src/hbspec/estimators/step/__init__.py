"""One training step: what it multiplies, holds and moves, and how long it takes."""
