"""Tie stores for software that people already run."""
