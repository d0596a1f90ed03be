"""Summaries as stored, and what they stand on."""
