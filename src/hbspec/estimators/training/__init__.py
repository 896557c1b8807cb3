"""The memory of a GPU that trains."""
