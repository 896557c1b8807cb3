"""The evaluation of a trained model from here: the harness of the job, its suites, and records compared."""
