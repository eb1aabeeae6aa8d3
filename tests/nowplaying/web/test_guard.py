"""Other hosts, other origins and other people of this machine get nothing."""

import socket

import pytest

from .conftest import Server

ASKED = ["/", "/api/status", "/static/main.js"]


@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:80", ""])
def test_other_names_of_this_host_are_refused(server: Server, path: str, host: str) -> None:
    assert server.ask(path, host=host).status == 403


@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1"])
def test_other_origins_are_refused(server: Server, path: str, origin: str) -> None:
    answer = server.ask(path, origin=origin)
    assert answer.status == 403
    assert "access-control-allow-origin" not in answer.headers


def test_a_page_of_another_site_is_refused_even_without_an_origin(server: Server) -> None:
    assert server.ask("/static/main.js", sec_fetch_site="cross-site").status == 403
    assert server.ask("/static/main.js", sec_fetch_site="same-site").status == 403
    assert server.ask("/static/main.js", sec_fetch_site="same-origin").status == 200


def test_no_preflight_is_answered(server: Server) -> None:
    answer = server.ask(
        "/api/recognize",
        method="OPTIONS",
        origin="http://evil.example",
        access_control_request_headers="x-nowplaying-token",
    )
    assert answer.status == 403
    assert not any(name.startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize("token", ["", "x", "x" * 32, "ä"])
@pytest.mark.parametrize("path", ["/api/status", "/api/recognize", "/api/index", "/api/forget"])
def test_nothing_is_answered_without_the_token(server: Server, path: str, token: str) -> None:
    answer = server.ask(path, b"" if path != "/api/status" else None, token=token.encode("utf-8").decode("latin-1"))
    assert answer.status == 403
    assert "open the address that the command printed" in answer.table["error"]["message"]


def test_the_token_of_the_address_becomes_a_cookie(server: Server) -> None:
    assert server.ask("/").status == 403
    assert server.ask("/?token=wrong").status == 403
    answer = server.ask(f"/?token={server.token}")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    page = server.ask("/", cookie=cookie.partition(";")[0])
    assert page.status == 200
    assert b"<title>nowplaying</title>" in page.body


def test_the_cookie_alone_answers_nothing(server: Server) -> None:
    cookie = server.ask(f"/?token={server.token}").headers["set-cookie"].partition(";")[0]
    assert server.ask("/api/status", token="", cookie=cookie).status == 403


@pytest.mark.parametrize("path", [*ASKED, "/nothing", "/api/nothing"])
def test_every_answer_carries_the_policy(server: Server, path: str) -> None:
    headers = server.ask(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


def test_static_files_do_not_lead_out_of_their_folder(server: Server) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/templates/page.html"):
        assert server.ask(path).status == 404


def test_only_this_machine_can_connect(server: Server) -> None:
    port = int(server.host.rpartition(":")[2])
    with socket.socket() as one:
        one.bind(("127.0.0.2", port))  # free: the server listens on 127.0.0.1 alone, not on every address
