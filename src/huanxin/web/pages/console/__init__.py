"""The console: pages for people who work with the platform all day."""
