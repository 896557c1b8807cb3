"""Scripts that start the endpoint's engine on your own machine."""
