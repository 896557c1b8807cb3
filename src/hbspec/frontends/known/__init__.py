"""What is known of each framework: its keys (generated, `*.json`), its defaults, and what its keys influence."""
