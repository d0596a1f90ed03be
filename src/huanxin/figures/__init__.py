"""What is counted: of batches, of all numbers, of months; kept, and counted again once a fact that it stands on is recorded."""
