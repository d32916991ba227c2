from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx import Client
from hypothesis import given
from hypothesis import strategies as st

from ledger import inbox
from ledger.store import Ledger
from models.errors import WatchkeeperError
from service.app import create_app
from service.guard import LARGEST_BODY_BYTES, SLACK_PATH
from service.limiter import Limiter
from service.tokens import Caller, find_caller, parse_tokens
from tests.ledger.made import DAY, MODEL
from tests.service.conftest import NOW, READER, WRITER, client, hashed, header, nothing, quiet
from watchkeeper.settings import Settings

PARTITION = f"/v1/models/{MODEL}/partitions/{DAY}"

WRONG = ("", "Bearer ", "Bearer wrong", f"Basic {WRITER}", hashed(WRITER), f"Bearer {hashed(WRITER)}")


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Return the method and path of everything that the app would answer."""
    for route in app.routes:
        path = getattr(route, "path", "")
        for name in ("model", "incident", "day", "verb"):
            path = path.replace(f"{{{name}}}", str(DAY) if name == "day" else "x")
        for method in getattr(route, "methods", None) or ():
            yield method, path


def test_no_route_answers_without_a_token(app: FastAPI) -> None:
    asked = list(routes(app))
    assert len([route for route in app.routes if isinstance(route, APIRoute)]) >= 10
    assert ("GET", "/v1/openapi.json") in asked
    nobody = client(app)
    for method, path in [*asked, ("GET", "/"), ("GET", "/docs"), ("OPTIONS", "/v1/models"), ("TRACE", "/v1/models")]:
        for authorization in (
            "",
            "Bearer ",
            "Bearer wrong",
            f"Basic {WRITER}",
            hashed(WRITER),
            f"Bearer {hashed(WRITER)}",
        ):
            answer = nobody.request(method, path, headers={"Authorization": authorization})
            assert answer.status_code == 401, (method, path, authorization)
            if path != SLACK_PATH:
                assert answer.headers["www-authenticate"].startswith("Bearer")
            assert method == "HEAD" or answer.headers["content-type"] == "application/problem+json"


def test_without_tokens_in_the_settings_everything_is_refused(settings: Settings) -> None:
    closed = client(create_app(replace(settings, api_tokens=""), nothing, quiet), WRITER)
    assert closed.get("/v1/models").status_code == 401


def test_a_token_that_may_read_may_not_write(app: FastAPI, ledger: Ledger) -> None:
    reader = client(app, READER)
    assert reader.get("/v1/models").status_code == 200
    refused = reader.post(PARTITION)
    assert (refused.status_code, refused.json()["detail"]) == (403, "the token of dashboard may not write")
    assert inbox.find_announcement(ledger.database, MODEL, DAY) is None


def test_a_token_that_may_only_write_may_not_read(settings: Settings, ledger: Ledger) -> None:
    feed = client(create_app(replace(settings, api_tokens=f"feed:{hashed('a')}:write"), nothing, quiet), "a")
    assert feed.post(PARTITION).status_code == 201
    assert feed.get("/v1/models").status_code == 403


def test_a_caller_that_asks_too_often_waits_and_the_others_do_not(settings: Settings, ledger: Ledger) -> None:
    seconds = [0.0]
    app = create_app(
        settings, nothing, quiet, clock=lambda: NOW, limiter=Limiter(burst=3, per_second=0.5, clock=lambda: seconds[0])
    )
    reader, writer = client(app, READER), client(app, WRITER)
    assert [reader.get("/v1/models").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    limited = reader.get("/v1/models")
    assert limited.headers["retry-after"] == "2"
    assert limited.json()["detail"] == "dashboard asks too often; ask again in 2 s"
    assert writer.get("/v1/models").status_code == 200
    seconds[0] = 2.0
    assert [reader.get("/v1/models").status_code for _ in range(2)] == [200, 429]


@given(st.lists(st.floats(0, 30), min_size=1, max_size=60))
def test_no_caller_gets_more_than_the_burst_and_what_time_brings(pauses: list[float]) -> None:
    now = [0.0]
    limiter = Limiter(burst=5, per_second=0.25, clock=lambda: now[0])
    let_in = 0
    for pause in pauses:
        now[0] += pause
        wait = limiter.wait_seconds("a")
        let_in += wait == 0
        assert let_in <= 5 + now[0] * 0.25 + 1e-6
        assert 0 <= wait <= 4


@pytest.mark.parametrize("chunked", [False, True], ids=["told by its header", "sent in pieces"])
def test_a_request_that_is_too_large_is_refused(app: FastAPI, *, chunked: bool) -> None:
    large = b"x" * (LARGEST_BODY_BYTES + 1)
    content = iter([large[:1000], large[1000:]]) if chunked else large
    body = b"".join(content) if chunked else content
    answer = client(app, WRITER).post(PARTITION, content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


def test_every_answer_forbids_framing_sniffing_and_scripts_and_allows_no_other_site(app: FastAPI) -> None:
    other = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    asked = client(app, WRITER)
    for answer in (
        asked.get("/v1/models", headers=other),
        asked.get("/v1/none", headers=other),
        asked.options("/v1/models", headers=other),
        client(app).get("/v1/models", headers=other),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert "no-" in answer.headers["cache-control"]
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_what_fails_here_is_500_and_says_nothing_of_why(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    @app.get("/v1/broken")
    def broken() -> None:
        raise RuntimeError("a secret")

    answer = client(app, READER).get("/v1/broken")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "secret" not in answer.text
    assert answer.headers["x-frame-options"] == "DENY"
    assert "a secret" in caplog.text


def test_a_path_or_method_that_is_not_there_is_a_problem(ask: Client) -> None:
    assert ask.get("/v1/nothing").json()["detail"] == "there is nothing at /v1/nothing"
    wrong = ask.delete("/v1/models")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize(
    "setting",
    ["dashboard", f"dashboard:{hashed('a')}", "dashboard:plaintext-token:read", f"a b:{hashed('a')}:read",
     f"dashboard:{hashed('a')}:admin", f"dashboard:{hashed('a')[1:]}:read"],
)  # fmt: skip
def test_a_token_that_cannot_be_read_is_refused_without_showing_it(setting: str) -> None:
    with pytest.raises(WatchkeeperError, match="entry 2 can't be read; accepted is name:sha256:read") as refused:
        parse_tokens(f"good:{hashed('b')}:read, {setting}")
    assert setting not in str(refused.value)


def test_one_name_has_one_token() -> None:
    with pytest.raises(WatchkeeperError, match="'a' is there twice"):
        parse_tokens(f"a:{hashed('b')}:read,a:{hashed('c')}:read")


@given(st.text(max_size=40), st.sampled_from(["Bearer ", "bearer ", "Basic ", "", "Bearer"]))
def test_only_the_very_token_is_known(token: str, scheme: str) -> None:
    tokens = parse_tokens(f"dashboard:{hashlib.sha256(b'the token').hexdigest().upper()}:read")
    right = scheme.lower() == "bearer " and token.strip() == "the token"
    assert find_caller(tokens, scheme + token) == (Caller("dashboard", frozenset({"read"})) if right else None)
    assert find_caller(tokens, "Bearer the token") == Caller("dashboard", frozenset({"read"}))


def test_settings_do_not_show_a_secret(settings: Settings) -> None:
    assert hashed(WRITER) not in repr(settings)
    assert "shh" not in repr(settings)
    assert header(WRITER) == {"Authorization": "Bearer writing-token"}
