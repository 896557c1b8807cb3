"""Command lines in shell scripts and READMEs: their words, what starts a training, and what its flags say."""
