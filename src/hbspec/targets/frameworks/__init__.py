"""What targets share that write another framework's configuration, from which its own script trains."""
