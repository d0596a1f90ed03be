"""What a person or a program can order of the platform: each one transaction over the verbs.

The command line, the HTTP API, the workers and the demo order the same things through the same functions.
"""

from huanxin.acts.platform import Platform, open_platform

__all__ = ["Platform", "open_platform"]
