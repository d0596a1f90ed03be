"""The words of operators' roles and of what they did, keyed by their codes."""

from __future__ import annotations

from huanxin.words.sentences import N_

ROLES = {
    "operator": N_("operator"),
    "supervisor": N_("supervisor"),
    "desk": N_("shop desk"),
    "inventory": N_("a carrier's sale system"),
    "regulator": N_("regulator"),
    "admin": N_("admin"),
}

DID = {
    "roles": N_("roles were set"),
    "disabled": N_("locked out"),
    "enabled": N_("let in again"),
    "password-set": N_("the password was set"),
    "totp-set": N_("an authenticator was set up"),
    "signed-in": N_("signed in"),
    "confirmed": N_("was confirmed"),
    "looked-up-many": N_("alarm: looked up many numbers"),
    "locked-out": N_("locked after wrong tries"),
    "unmasked": N_("saw a whole number"),
    "batch-sent": N_("sent a batch to its partners"),
    "offered": N_("took clean numbers of a prefix"),
    "inventory-taken": N_("took what its carrier may sell"),
    "token-made": N_("a token was made"),
    "tokens-ended": N_("the tokens were ended"),
}

NAMES = {
    "role_names": ROLES,
    "did_names": DID,
}
"""By name in the templates."""
