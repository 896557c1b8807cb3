"""Chat templates: rendered as in a job, and asked where the assistant speaks. Only this package uses jinja2."""
