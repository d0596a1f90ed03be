"""The platform's keys, and secrets kept sealed."""
