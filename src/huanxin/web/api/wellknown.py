"""What a program finds out by itself: keys, where the endpoints are, what they take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from huanxin.domain.partners import Scope
from huanxin.notify.assertions import ALGORITHMS
from huanxin.web.context import Context

TAG = {"name": "Discovery", "description": "Where everything is, for programs."}
router = APIRouter(tags=[TAG["name"]])
of_sandbox = APIRouter(tags=[TAG["name"]])
"""The sandbox's documents, where its issuer's path puts them: between the host and `/sandbox` (OpenID SSF 1.0, section 7.2;
RFC 8414, section 3)."""
_KEPT = {"Cache-Control": "public, max-age=300"}


@router.get("/jwks.json", summary="The platform's public keys")
def jwks(request: Request) -> Response:
    """Public keys with which the platform's tokens can be verified (RFC 7517)."""
    context: Context = request.app.state.context
    return JSONResponse(context.signer.jwks(), headers=_KEPT)


def _transmitter(issuer: str) -> dict[str, Any]:
    """`critical_subject_members` is left out: no event here has a complex subject."""
    return {
        "spec_version": "1_0",
        "issuer": issuer,
        "jwks_uri": f"{issuer}/jwks.json",
        "delivery_methods_supported": ["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"],
        "configuration_endpoint": f"{issuer}/ssf/streams",
        "status_endpoint": f"{issuer}/ssf/status",
        "add_subject_endpoint": f"{issuer}/ssf/subjects:add",
        "remove_subject_endpoint": f"{issuer}/ssf/subjects:remove",
        "verification_endpoint": f"{issuer}/ssf/verify",
        "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6749"}],
        "default_subjects": "ALL",
    }


def _authorization_server(issuer: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth/token",
        "jwks_uri": f"{issuer}/jwks.json",
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "scopes_supported": list(Scope),
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic", "client_secret_post"],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
    }


def _protected_resource(issuer: str) -> dict[str, Any]:
    return {
        "resource": issuer,
        "authorization_servers": [issuer],
        "scopes_supported": list(Scope),
        "bearer_methods_supported": ["header"],
        "resource_signing_alg_values_supported": ["ES256", "RS256"],
    }


def _publish(name: str, summary: str, source: str, document: Callable[[str], dict[str, Any]]) -> None:
    """A document about an issuer, of the platform at its usual place and of the sandbox at its own."""

    def of_platform(request: Request) -> Response:
        return JSONResponse(document(request.app.state.context.platform.issuer), headers=_KEPT)

    def of_its_sandbox(request: Request) -> Response:
        return JSONResponse(document(request.app.state.sandbox.platform.issuer), headers=_KEPT)

    address, operation = f"/.well-known/{name}", name.replace("-", "_")
    router.get(address, summary=summary, description=source, name=operation)(of_platform)
    summary = f"{summary}, of the sandbox"
    of_sandbox.get(f"{address}/sandbox", summary=summary, description=source, name=f"{operation}_sandbox")(of_its_sandbox)


for _document in (
    ("ssf-configuration", "The transmitter's configuration",
     "What the transmitter can do and where: OpenID SSF 1.0, section 7.", _transmitter),
    ("oauth-authorization-server", "How to get access tokens",
     "Where tokens are had and how a partner shows who it is: RFC 8414, sections 2 and 3.", _authorization_server),
    ("oauth-protected-resource", "Who gives out access tokens, and for what",
     "Which scopes there are and who gives out tokens for them: RFC 9728, sections 2 and 3.", _protected_resource),
):  # fmt: skip
    _publish(*_document)
