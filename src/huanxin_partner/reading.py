"""JSON that somebody sent: read, or refused with ValueError, whatever it is: nested a thousand deep, with half characters
(`\\ud800`) that nothing can keep, with what is no number."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def read_json(content: str | bytes) -> Any:
    """A JSON text (RFC 8259). Raises ValueError."""
    try:
        found = json.loads(content, parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON that can be read: {str(error)[:100]}") from error
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")
