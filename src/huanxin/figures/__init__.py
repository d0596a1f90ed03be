"""What is counted: of batches, of all numbers, of months; counted anew once a fact that it stands on is recorded."""
