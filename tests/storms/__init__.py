"""Storms: a platform with its partners while whatever can die does, and a record outside of what was acknowledged."""
