"""What browser tests share."""

from acceptance.browsing import browser

__all__ = ["browser"]
