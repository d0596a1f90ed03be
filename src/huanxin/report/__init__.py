"""Verb 1: carriers' reports become facts."""
