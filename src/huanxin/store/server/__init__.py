"""The embedded PostgreSQL: its programs, its process, who keeps it alive."""
