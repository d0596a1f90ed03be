"""Certificates: `/verify` for anyone who is shown one, `/certificate` for its holder."""
