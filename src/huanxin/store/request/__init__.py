"""Owners' orders as stored, with their codes and messages."""
