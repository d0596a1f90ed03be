"""Verb 2 as stored: batches and holds."""
