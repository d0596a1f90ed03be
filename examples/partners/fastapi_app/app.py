"""A tea shop: log in with a code sent to your number, see your coins."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Cookie, FastAPI, Form, HTTPException, Response
from renewal import events, journal, worker
from shop import Account, Base, LoginCode, LoginSession, engine, now, sessions
from sqlalchemy import select

from huanxin_partner.guard import may_enter

logging.basicConfig(level=logging.INFO)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    Base.metadata.create_all(engine)
    worker.start()
    yield
    worker.stop()


app = FastAPI(lifespan=lifespan)
app.mount("/huanxin/events", events)


@app.post("/login/code", status_code=204)
def send_code(phone: Annotated[str, Form()]) -> None:
    code = f"{secrets.randbelow(1_000_000):06}"
    with sessions.begin() as session:
        session.merge(LoginCode(phone=phone, code=code))
    logging.info("SMS to %s: your code is %s", phone, code)  # an SMS service would send it


@app.post("/login", status_code=204)
def log_in(phone: Annotated[str, Form()], code: Annotated[str, Form()], response: Response) -> None:
    with sessions.begin() as session:
        sent = session.get(LoginCode, phone)
        if sent is None or not secrets.compare_digest(sent.code, code):
            raise HTTPException(403, "that is not the code that was sent")
        session.delete(sent)
        account = session.scalar(select(Account).where(Account.phone == phone))
        if account and not may_enter(journal, phone, account.phone_bound_at):
            raise HTTPException(403, "this number has a new owner; log in with your password and bind another number")
        if account is None:
            account = Account(phone=phone, phone_bound_at=now(), name="")
            session.add(account)
            session.flush()
        token = secrets.token_urlsafe()
        session.add(LoginSession(token=token, account_id=account.id))
    response.set_cookie("session", token, httponly=True)


@app.get("/me")
def me(session: Annotated[str, Cookie()] = "") -> dict[str, object]:
    with sessions() as db:
        found = db.get(LoginSession, session)
        account = db.get(Account, found.account_id) if found else None
        if account is None:
            raise HTTPException(401, "log in first")
        return {"account": account.id, "phone": account.phone, "coins": account.coins}
