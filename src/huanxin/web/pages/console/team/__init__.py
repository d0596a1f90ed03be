"""Operators, and what each looks after for themselves."""
