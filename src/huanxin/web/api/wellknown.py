"""What a program finds out by itself: keys, where the endpoints are, what they take."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from huanxin.domain.partners import Scope
from huanxin.notify.assertions import ALGORITHMS
from huanxin.web.context import Context

router = APIRouter(tags=["Discovery"])
of_sandbox = APIRouter(tags=["Discovery"])
"""The sandbox's documents, where its issuer's path puts them: between the host and `/sandbox` (OpenID SSF 1.0, section 7.2;
RFC 8414, section 3)."""
_KEPT = {"Cache-Control": "public, max-age=300"}


@router.get("/jwks.json", summary="The platform's public keys")
def jwks(request: Request) -> Response:
    """Public keys with which the platform's tokens can be verified (RFC 7517)."""
    context: Context = request.app.state.context
    return JSONResponse(context.signer.jwks(), headers=_KEPT)


@router.get("/.well-known/ssf-configuration", summary="The transmitter's configuration")
def ssf_configuration(request: Request) -> Response:
    """What the transmitter can do and where: OpenID SSF 1.0, section 7.1."""
    return JSONResponse(_transmitter(request.app.state.context.platform.issuer), headers=_KEPT)


@router.get("/.well-known/oauth-authorization-server", summary="How to get access tokens")
def authorization_server(request: Request) -> Response:
    """Where tokens are had and how a partner shows who it is: RFC 8414, section 2."""
    return JSONResponse(_authorization_server(request.app.state.context.platform.issuer), headers=_KEPT)


@router.get("/.well-known/oauth-protected-resource", summary="Who gives out access tokens, and for what")
def protected_resource(request: Request) -> Response:
    """Which scopes there are and who gives out tokens for them: RFC 9728, section 2."""
    return JSONResponse(_protected_resource(request.app.state.context.platform.issuer), headers=_KEPT)


@of_sandbox.get("/.well-known/ssf-configuration/sandbox", summary="The sandbox's configuration")
def sandbox_ssf_configuration(request: Request) -> Response:
    """OpenID SSF 1.0, section 7.2.1: the issuer has a path."""
    return JSONResponse(_transmitter(request.app.state.sandbox.platform.issuer), headers=_KEPT)


@of_sandbox.get("/.well-known/oauth-authorization-server/sandbox", summary="How to get the sandbox's access tokens")
def sandbox_authorization_server(request: Request) -> Response:
    """RFC 8414, section 3.1: the issuer has a path."""
    return JSONResponse(_authorization_server(request.app.state.sandbox.platform.issuer), headers=_KEPT)


@of_sandbox.get("/.well-known/oauth-protected-resource/sandbox", summary="Who gives out the sandbox's access tokens")
def sandbox_protected_resource(request: Request) -> Response:
    """RFC 9728, section 3.1: the resource has a path."""
    return JSONResponse(_protected_resource(request.app.state.sandbox.platform.issuer), headers=_KEPT)


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
