"""Reports, estimates and manual pages as text, JSON, SARIF and GitHub annotations. Only this package uses rich."""
