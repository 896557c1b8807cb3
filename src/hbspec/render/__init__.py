"""Reports, estimates and manual pages as text, JSON, SARIF and annotations. The only home of rich."""
