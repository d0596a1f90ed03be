"""Partners as stored: accounts, what lets them in, self-tests."""
