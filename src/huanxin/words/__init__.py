"""Words for people: sentences that remember how they were made, and both languages."""
