"""Verb 4 as stored: receipts and waivers, read whole or for a few numbers."""
