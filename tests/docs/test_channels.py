"""Every kind of channel has a how-to page whose routes file is accepted, and whose secret is the one it names."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from alerting.notifications.channels.registry import channel_kinds
from alerting.notifications.channels.secrets import connection_id, secret_variable
from alerting.notifications.channels.webhook.sender import sign_body
from alerting.notifications.routes.loading import load_routes
from tests.docs.test_site import DOCS, REPOSITORY, blocks

NAV = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8")


def blocks_of(page: str, kind: str) -> list[str]:
    return [text for where, text in blocks((kind,)) if where == page]


@pytest.mark.parametrize("kind", channel_kinds())
def test_each_kind_has_a_page_with_routes_that_name_it(kind: str, tmp_path: Path) -> None:
    page = f"how-to/{kind.replace('_', '-')}.md"
    assert page in NAV
    (shown,) = [text for text in blocks_of(page, "yaml") if "default" in yaml.safe_load(text)]
    file = tmp_path / "routes.yaml"
    file.write_text(shown)
    routes = load_routes(file)
    ((name, settings),) = routes.channels.items()
    assert settings.kind == kind
    assert [rule.to for rule in routes.rules] == [[name]]
    text = (DOCS / page).read_text(encoding="utf-8")
    if settings.needs_secret:
        assert secret_variable(name) in text
        assert connection_id(name) in text or kind == "slack"


def test_a_receiver_written_as_shown_takes_what_is_signed_and_refuses_the_rest() -> None:
    (shown,) = blocks_of("how-to/webhook.md", "python")
    known: dict[str, object] = {}
    exec(shown, known)
    is_genuine = known["is_genuine"]
    assert callable(is_genuine)
    body, at = b'{"id": "a-1"}', 1_772_600_000
    headers = {"X-Watchkeeper-Timestamp": str(at), "X-Watchkeeper-Signature": sign_body("key", at, body)}
    assert is_genuine("key", headers, body, at + 10)
    assert not is_genuine("key", headers, body + b" ", at + 10)
    assert not is_genuine("other", headers, body, at + 10)
    assert not is_genuine("key", headers, body, at + 301)
