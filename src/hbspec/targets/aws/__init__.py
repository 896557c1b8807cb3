"""What targets of AWS share: request bodies and their schemas, container images, job names, and shell lines."""
