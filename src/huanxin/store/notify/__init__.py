"""Verb 3 as stored: notices, the events that tell of them, how far partners are."""
