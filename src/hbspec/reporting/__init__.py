"""Reports of specs: a page with charts, their tables, and every source. Only this package uses vl-convert."""
