"""`/watch`: the public bulletin and its open data."""
