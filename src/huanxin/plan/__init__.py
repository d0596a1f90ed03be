"""Verb 2: which numbers are due, batches, holds."""
