"""The shop desk."""
