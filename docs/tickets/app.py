# An app that lets in only who came by the door. Needs PyJWT with cryptography
# (apt install python3-jwt python3-cryptography, or pip install 'pyjwt[crypto]').
#     PORT=8000 SERVER=shop-a DOOR=https://www.example.org python3 app.py
import os
import secrets
import threading
import time
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt

PORT, SERVER, DOOR = int(os.environ["PORT"]), os.environ["SERVER"], os.environ["DOOR"]
SECURE = "; Secure" if os.environ.get("SECURE") else ""
LIFE_S = 60
SESSIONS_MAX = 10_000

keys = jwt.PyJWKClient(f"{DOOR}/.well-known/jwks.json")
lock = threading.Lock()
used = {}  # ticket's id -> when it may be forgotten
sessions = {}  # session -> who


def redeem(ticket):
    """Whose ticket this is; raises when it is not good, or not for the first time."""
    claims = jwt.decode(
        ticket,
        keys.get_signing_key_from_jwt(ticket).key,
        algorithms=["EdDSA"],
        issuer=DOOR,  # ROUTER_URL of Usher
        audience=SERVER,  # this server's name there
        options={"require": ["sub", "exp", "jti"]},
    )
    now = time.monotonic()
    with lock:
        for ticket_id in [each for each, until in used.items() if until < now]:
            del used[ticket_id]
        if claims["jti"] in used:
            raise jwt.InvalidTokenError("this ticket was used before")
        used[claims["jti"]] = now + LIFE_S
    return claims["sub"]


def new_session(visitor):
    """Of one who has come by the door; the oldest sessions give way."""
    session = secrets.token_urlsafe(16)
    with lock:
        if len(sessions) == SESSIONS_MAX:
            del sessions[next(iter(sessions))]
        sessions[session] = visitor
    return session


class App(BaseHTTPRequestHandler):
    def do_GET(self):
        visitor = sessions.get(self.session())
        ticket = parse_qs(urlsplit(self.path).query).get("usher_ticket", [None])[0]
        cookie = None
        if visitor is None and ticket is not None:
            try:
                visitor = redeem(ticket)
            except jwt.PyJWTError as error:
                return self.answer(403, {"Content-Type": "text/plain"}, f"No entry: {error}\n")
            session = new_session(visitor)
            cookie = f"app_session={session}; Path=/; HttpOnly; SameSite=Lax{SECURE}"
        if visitor is None:
            return self.answer(302, {"Location": DOOR + self.path}, "")
        headers = {"Content-Type": "text/html"} | ({"Set-Cookie": cookie} if cookie else {})
        return self.answer(200, headers, f"""<!doctype html><title>Shop</title>
<script src="{DOOR}/usher.js" data-server="{SERVER}" defer></script>
<p>Welcome, {visitor}
""")

    def session(self):
        try:
            cookie = SimpleCookie(self.headers.get("Cookie", "")).get("app_session")
        except CookieError:
            cookie = None
        return cookie.value if cookie else None

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Cache-Control", "private, no-store")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", PORT), App).serve_forever()
