"""What a rehearsal needs of the partner API: number files that are broken on purpose."""

from __future__ import annotations

from fastapi.responses import Response

from huanxin.numbersets.numberfile import number_file, spoiled
from huanxin.store.connect import rehearsals
from huanxin.web.context import Context


def spoiled_file(context: Context, notice_id: str, batch_id: int, media_type: str) -> Response | None:
    """A file that lacks its end, where the sandbox wants to see whether its hash is checked; None where it doesn't."""
    if not context.platform.sandbox:
        return None
    with context.platform.read() as seen:
        if not rehearsals.is_spoiled(seen.tx, notice_id):
            return None
    return Response(spoiled(number_file(context.rosters.get(batch_id), media_type)), media_type=media_type)
