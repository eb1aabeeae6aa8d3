"""Who may ask: a browser on this machine, on the page that this server gave it, and nobody else.

A page of another site can send requests to 127.0.0.1, and a name server can point its own name there. So the names of
host and origin are compared, all that answers or changes needs the token that the printed address carries, no other
origin is ever allowed (no CORS), and the page itself may load nothing from elsewhere (CSP).
"""

import hmac
from collections.abc import Collection
from http.cookies import SimpleCookie
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["TOKEN_HEADER", "Guard"]

TOKEN_HEADER = "x-nowplaying-token"  # noqa: S105 (a name)
_METHODS = {"GET", "HEAD", "POST"}
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """Refuses what other hosts, other origins and other people ask, before the application sees it.

    Parameters
    ----------
    app : ASGI application
    hosts : collection of str
        Names with ports under which this server is asked, such as ``127.0.0.1:8765``.
    token : str
        Secret that the printed address carries, and after it a cookie; requests to ``/api/`` repeat it in a header,
        which no form and no page of another origin can send.
    """

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], token: str) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
                theirs = [pair for pair in message.get("headers", []) if pair[0].decode().lower() not in _HEADERS]
                message = {**message, "headers": [*theirs, *ours]}
            await send(message)

        refusal = self._refusal(scope) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        given = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        own = {f"http://{host}" for host in self._hosts}
        if given.get("host", "") not in self._hosts:
            return _refused(scope, "this server answers to 127.0.0.1 only; open the address that the command printed")
        if given.get("origin", next(iter(own))) not in own or given.get("sec-fetch-site", "none") not in {
            "none",
            "same-origin",
        }:
            return _refused(scope, "requests of other origins are refused")
        if scope["method"] not in _METHODS:
            return _refused(scope, "this method is not used here", status=405)
        if scope["path"].startswith("/static/"):
            return None
        if scope["path"].startswith("/api/"):
            return None if self._is_token(given.get(TOKEN_HEADER, "")) else _refused(scope, _NO_TOKEN)
        return self._page_refusal(scope, given)

    def _page_refusal(self, scope: Scope, given: dict[str, str]) -> Response | None:
        cookie = self._cookie_name(given["host"])
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if asked and self._is_token(asked):
            # The secret leaves the address bar, and with it the history of the browser.
            response = RedirectResponse("/", status_code=303)
            response.set_cookie(cookie, self._token, httponly=True, samesite="strict")
            return response
        held = SimpleCookie(given.get("cookie", "")).get(cookie)
        return None if held is not None and self._is_token(held.value) else _refused(scope, _NO_TOKEN)

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())

    @staticmethod
    def _cookie_name(host: str) -> str:
        # Cookies of one host are shared by all its ports: two servers must not take each other's.
        return f"nowplaying-{host.rpartition(':')[2]}"


_NO_TOKEN = "open the address that the command printed: it carries the token of this server"  # noqa: S105


def _refused(scope: Scope, reason: str, *, status: int = 403) -> Response:
    if scope["path"].startswith("/api/"):
        return JSONResponse({"error": {"code": "refused", "message": reason}}, status_code=status)
    return PlainTextResponse(f"nowplaying: {reason}\n", status_code=status)
