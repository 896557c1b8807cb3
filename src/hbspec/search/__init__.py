"""Changes to a spec that save memory, time or money, each planned and judged again."""
