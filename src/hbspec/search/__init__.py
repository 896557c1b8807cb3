"""Other specs in the place of one: what a change would save, planned and judged anew."""
