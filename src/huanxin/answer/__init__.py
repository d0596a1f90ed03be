"""Verb 4: receipts become facts."""
