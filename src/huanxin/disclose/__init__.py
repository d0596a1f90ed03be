"""What is told of a number: certificates, and whether one is good."""
