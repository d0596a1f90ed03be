"""Active renewal: orders of new owners and leavers, and their answers."""
