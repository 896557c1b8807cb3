"""Reports of specs: a page with charts, their tables, and every source. The only use of vl-convert and babel."""
