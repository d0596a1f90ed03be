"""Verb 3: notices to partners, keys, pushing."""
