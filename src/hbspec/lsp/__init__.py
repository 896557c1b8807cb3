"""The language server for editors: findings as one types, hover, completion, fixes and links. The only use of pygls."""
