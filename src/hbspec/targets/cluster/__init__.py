"""Jobs that a scheduler starts outside SageMaker: each machine's script, the job's own folder, what cannot be said."""
