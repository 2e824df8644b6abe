"""What is learned beside the mechanism."""
