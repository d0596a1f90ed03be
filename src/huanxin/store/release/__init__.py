"""Verbs 5 and 6 as stored: proposals, releases, what stops a sale."""
