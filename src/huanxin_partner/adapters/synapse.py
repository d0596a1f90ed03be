"""Matrix Synapse: phone numbers are third-party ids of medium `msisdn`, detached and given back through its admin API."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from huanxin_partner.reading import read_json
from huanxin_partner.ties import Answer, as_text
from huanxin_partner.times import EARLIEST, LATEST

_SCHEMA = """
CREATE TABLE IF NOT EXISTS huanxin_synapse_cuts (
    number TEXT NOT NULL,
    cutoff TEXT NOT NULL,       -- of the renewal that cut it
    user TEXT NOT NULL,         -- the Matrix id that it was taken from
    bound_at INTEGER NOT NULL,  -- Synapse's validated_at, in milliseconds
    restored_as INTEGER,        -- the validated_at that Synapse gave it on its return; 0 if its user brought it back
    PRIMARY KEY (number, cutoff, user)
) WITHOUT ROWID
"""
_RETURNING = (
    -1
)  # restored_as while it is being given back: recorded before the act, so that a crash can be told from the user
_STEP = timedelta(milliseconds=1) - timedelta(microseconds=1)  # Synapse leaves out what is below a millisecond
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DOUBT = "other"  # the reason of a refusal: when it was bound is in doubt


class SynapseError(Exception):
    """Synapse refused, or could not be reached. The event stays in the journal and is tried again."""


@dataclass(frozen=True, kw_only=True)
class _Cut:
    user: str
    bound_at: int
    restored_as: int | None


class SynapseTies:
    """The phone numbers of a homeserver's accounts. Cutting one keeps the account, its password, e-mail and rooms.

    `token`: the access token of a server administrator. `record`: an SQLite file, made if it isn't there, that keeps which
    account lost which number, for retractions and repeats. `end_sessions`: log the account out of its devices, but for
    dehydrated ones and the token's own.

    Synapse replaces the whole list of an account's third-party ids; entries that stay keep their `validated_at`, one that
    is added anew gets the present instant, so the record remembers what a restored number had before.
    """

    def __init__(
        self, url: str, token: str, *, record: Path, end_sessions: bool = True, client: httpx.Client | None = None
    ) -> None:
        """`url`: where the admin API answers, for instance `http://127.0.0.1:8008`."""
        self._url, self._record, self._end_sessions = url.rstrip("/"), record, end_sessions
        self._headers = {"Authorization": f"Bearer {token}"}
        self._client = client or httpx.Client(timeout=60)
        self._me: dict[str, Any] = {}
        with self._cuts() as cuts:
            cuts.execute("PRAGMA journal_mode = WAL")
            cuts.execute(_SCHEMA)

    def unbind(self, numbers: Sequence[str], cutoff: datetime) -> list[Answer]:
        """See ties.TieStore. Raises SynapseError; what was cut until then is on record."""
        with _understood(), self._cuts() as cuts:
            found = ((number, self._unbound(cuts, number, cutoff)) for number in numbers)
            return [
                Answer(number=number, outcome=outcome, reason=_DOUBT if outcome == "refused" else "")
                for number, outcome in found if outcome
            ]  # fmt: skip

    def restore(self, numbers: Sequence[str], cutoff: datetime) -> list[Answer]:
        """See ties.TieStore. Raises SynapseError."""
        with _understood(), self._cuts() as cuts:
            found = ((number, self._restored(cuts, number, cutoff)) for number in numbers)
            return [Answer(number=number, outcome=outcome) for number, outcome in found if outcome]

    def bound(self, number: str) -> bool:
        """See ties.TieStore. Raises SynapseError."""
        with _understood():
            return self._holder(number) is not None

    def _unbound(self, cuts: sqlite3.Connection, number: str, cutoff: datetime) -> str:
        known = self._known(cuts, number, cutoff)
        outcome = "unbound" if any(cut.restored_as is None for cut in known) else ""
        holder = self._holder(number)
        threepids = self._threepids(holder) if holder else None
        at = _validated_at(threepids or [], number)
        if holder is None or threepids is None or at is None:
            return outcome
        bound_at = self._bound_before(cuts, number, holder, at)
        again = any(cut.user == holder and cut.restored_as is not None for cut in known)  # cut once, so back again since
        latest = _latest(bound_at)
        if again or (latest is not None and latest >= cutoff):
            return outcome or "kept"
        if latest is None:
            return "refused"
        cuts.execute(
            "INSERT OR IGNORE INTO huanxin_synapse_cuts (number, cutoff, user, bound_at) VALUES (?, ?, ?, ?)",
            (number, as_text(cutoff), holder, bound_at),
        )
        if self._end_sessions:
            self._log_out(holder)  # first: after a crash the number is still there to be found, and both are done again
        self._put(holder, [entry for entry in threepids if not _is(entry, number)])
        return "unbound"

    def _restored(self, cuts: sqlite3.Connection, number: str, cutoff: datetime) -> str:
        known = self._known(cuts, number, cutoff)
        outcomes = [self._given_back(cuts, number, cutoff, cut) for cut in known]
        return "irreversible" if "irreversible" in outcomes else "restored" if outcomes else ""

    def _given_back(self, cuts: sqlite3.Connection, number: str, cutoff: datetime, cut: _Cut) -> str:
        if cut.restored_as is not None and cut.restored_as != _RETURNING:
            return "restored"
        holder, threepids = self._holder(number), self._threepids(cut.user)
        if holder not in (None, cut.user) or threepids is None:
            return "irreversible"

        def note(restored_as: int | None) -> None:
            cuts.execute(
                "UPDATE huanxin_synapse_cuts SET restored_as = ? WHERE number = ? AND cutoff = ? AND user = ?",
                (restored_as, number, as_text(cutoff), cut.user),
            )

        if holder is None:
            note(_RETURNING)
            threepids = self._put(cut.user, [*threepids, {"medium": "msisdn", "address": _address(number)}])
            note(_validated_at(threepids, number) or 0)
        else:
            note(_validated_at(threepids, number) if cut.restored_as == _RETURNING else 0)
        return "restored"

    # The record ------------------------------------------------------------------------------------------------------
    @contextmanager
    def _cuts(self) -> Iterator[sqlite3.Connection]:
        """The record. Each statement is kept at once: what happens in Synapse can't be rolled back with it."""
        with closing(sqlite3.connect(self._record, timeout=30, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            yield connection

    def _known(self, cuts: sqlite3.Connection, number: str, cutoff: datetime) -> list[_Cut]:
        rows = cuts.execute(
            "SELECT user, bound_at, restored_as FROM huanxin_synapse_cuts WHERE number = ? AND cutoff = ?",
            (number, as_text(cutoff)),
        )
        here = f":{self._server_name()}"  # several servers may share a record
        return [
            _Cut(user=user, bound_at=bound_at, restored_as=restored_as)
            for user, bound_at, restored_as in rows if str(user).endswith(here)
        ]  # fmt: skip

    @staticmethod
    def _bound_before(cuts: sqlite3.Connection, number: str, user: str, at: int) -> int:
        """When a number was bound, though it was cut and given back since."""
        row = cuts.execute(
            "SELECT bound_at FROM huanxin_synapse_cuts WHERE number = ? AND user = ? AND restored_as = ?", (number, user, at)
        ).fetchone()
        return int(row[0]) if row else at

    # Synapse ---------------------------------------------------------------------------------------------------------
    def _holder(self, number: str) -> str | None:
        found = self._call("GET", f"/_synapse/admin/v1/threepid/msisdn/users/{_address(number)}")
        return None if found is None else _user(found)

    def _threepids(self, user: str) -> list[dict[str, Any]] | None:
        """An account's third-party ids; None if it is gone or closed."""
        found = self._call("GET", f"/_synapse/admin/v2/users/{_quoted(user)}")
        return None if found is None or found["deactivated"] else list(found["threepids"])

    def _put(self, user: str, threepids: list[dict[str, Any]]) -> list[dict[str, Any]]:
        wanted = [{"medium": entry["medium"], "address": entry["address"]} for entry in threepids]
        found = self._call("PUT", f"/_synapse/admin/v2/users/{_quoted(user)}", {"threepids": wanted})
        return [] if found is None else list(found["threepids"])

    def _log_out(self, user: str) -> None:
        path = f"/_synapse/admin/v2/users/{_quoted(user)}"
        own_device = self._whoami().get("device_id")
        found = self._call("GET", f"{path}/devices") or {"devices": []}
        ids = [device["device_id"] for device in found["devices"] if not device.get("dehydrated")]
        self._call("POST", f"{path}/delete_devices", {"devices": [one for one in ids if one != own_device]})

    def _whoami(self) -> dict[str, Any]:
        """The account of the token: its `user_id` and `device_id`."""
        self._me = self._me or self._call("GET", "/_matrix/client/v3/account/whoami") or {}
        return self._me

    def _server_name(self) -> str:
        return _user(self._whoami()).partition(":")[2]

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """What Synapse answers; None if it knows no such number or account."""
        try:
            answer = self._client.request(method, self._url + path, json=body, headers=self._headers)
        except httpx.HTTPError as error:
            raise SynapseError(f"Synapse can't be reached at {self._url}: {type(error).__name__}") from error
        found = _object(answer)
        said = found or {}
        if answer.status_code == httpx.codes.NOT_FOUND and said.get("errcode") == "M_NOT_FOUND":
            return None
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise SynapseError("Synapse doesn't take the token: it has to be the access token of a server administrator")
        if not answer.is_success:
            raise SynapseError(f"Synapse answered {answer.status_code} {said.get('errcode', '')} to {method}")
        if found is None:  # a page of a proxy, which would read as if nobody had the number
            raise SynapseError(
                f"Synapse answered {method} with something that is no JSON object; does a proxy answer for it?"
            )
        return found


@contextmanager
def _understood() -> Iterator[None]:
    """Raises SynapseError for an answer in which something stands that is not what the admin API says."""
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise SynapseError(f"Synapse's admin API answered what can't be read ({type(error).__name__}: {error})") from error


def _user(found: dict[str, Any]) -> str:
    if not isinstance(user := found["user_id"], str):
        raise TypeError("user_id is no text")
    return user


def _address(number: str) -> str:
    """`+8613800138000` as Synapse keeps it: an MSISDN has no plus (Matrix, appendix 3rd party identifiers)."""
    return number.removeprefix("+")


def _quoted(user: str) -> str:
    return quote(user, safe="")


def _is(entry: dict[str, Any], number: str) -> bool:
    return bool(entry["medium"] == "msisdn" and entry["address"] == _address(number))


def _validated_at(threepids: list[dict[str, Any]], number: str) -> int | None:
    return next((int(entry["validated_at"]) for entry in threepids if _is(entry, number)), None)


def _latest(validated_at: int) -> datetime | None:
    """The latest instant that it may stand for; None if it is in doubt, as a zero is."""
    try:
        latest = _EPOCH + timedelta(milliseconds=validated_at) + _STEP
    except OverflowError:
        return None
    return latest if EARLIEST <= latest < LATEST else None


def _object(answer: httpx.Response) -> dict[str, Any] | None:
    """What an answer says in JSON; None if it says nothing that can be read."""
    try:
        found = read_json(answer.content)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
