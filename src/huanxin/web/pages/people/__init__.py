"""The pages of citizens: the new owner's renewal, the leaver's exit, signing in with a number."""
