"""Batches and what is decided on them."""
