"""Who may ask: the right host, the right page, the right token. Decides from a request's headers alone."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

COOKIE = "twostageseg"
MIN_TOKEN = 16

# what is allowed to the page in the browser: itself, and nothing anywhere else. Vue compiles the page's templates.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def is_loopback(host: str) -> bool:
    """True for an address that only this computer reaches."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def same_text(given: str, right: str) -> bool:
    """Compare secrets in a time that does not tell how much of them was right."""
    return hmac.compare_digest(given.encode(), right.encode())


@dataclass(frozen=True)
class Guard:
    """``token`` "" : only this computer can connect, and none is asked for."""

    token: str = ""

    def refusal(self, headers: Mapping[str, str], method: str) -> str:
        """Why a request is refused, "" if it is not. The token is a question of its own (:meth:`knows`).

        On this computer alone any web site that is open in the browser could send requests here, or lead its own name
        to this address; so the host must be this computer's, and whatever changes something must come from our page.
        """
        host = urlsplit(f"//{headers.get('Host', '')}")
        if not self.token and not is_loopback(host.hostname or ""):
            return "This address is not served. Open the address that twostageseg has printed."
        if headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            return "Requests of other web sites are refused."
        origin = headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != host.netloc:
            return "Requests of other web sites are refused."
        is_socket = headers.get("Upgrade", "").lower() == "websocket"
        if origin is None and (is_socket or method not in ("GET", "HEAD")) and "Sec-Fetch-Site" not in headers:
            return "The request does not say which page it comes from."
        return ""

    def knows(self, cookie: str | None) -> bool:
        """True if no token is needed or the cookie holds it."""
        return not self.token or (cookie is not None and same_text(cookie, self.token))

    def accepts(self, given: str) -> bool:
        """True if this is the token, as typed or as in the address."""
        return bool(self.token) and same_text(given, self.token)
