"""What every target that starts training hands over: what runs, how it is started and what it is told."""
