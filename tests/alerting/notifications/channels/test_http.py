"""Every channel that is one HTTP request, against a server that is well, slow, rude or gone."""

from __future__ import annotations

import logging
import traceback

import pytest

from alerting.notifications.channels.errors import DeliveryError
from alerting.notifications.channels.protocol import Channel
from tests.alerting.notifications.channels.http_server import Web
from tests.alerting.notifications.channels.made import OPENED, SECRET
from tests.alerting.notifications.channels.pagerduty.test_pagerduty import pagerduty
from tests.alerting.notifications.channels.slack_webhook.test_slack_webhook import slack_hook
from tests.alerting.notifications.channels.webhook.test_webhook import hook

HTTP = pytest.mark.parametrize("channel", [pagerduty, hook, slack_hook])


@HTTP
@pytest.mark.parametrize(
    ("answer", "permanent", "wait"),
    [
        ((429, {"Retry-After": "17"}), False, 17.0),
        ((429, {"Retry-After": "soon"}), False, 60.0),
        ((500, {}), False, None),
        ((503, {}), False, None),
        ((408, {}), False, None),
        ((400, {}), True, None),
        ((404, {}), True, None),
        ("drop", False, None),
    ],
)
def test_what_an_answer_means_is_told_apart(
    web: Web, channel: object, answer: object, permanent: bool, wait: float | None
) -> None:
    web.next = [answer]
    with pytest.raises(DeliveryError) as error:
        channel(web).send(OPENED, None)  # type: ignore[operator]
    assert error.value.permanent is permanent
    assert error.value.retry_after_seconds == wait
    assert channel(web).send(OPENED, None)  # type: ignore[operator]


@pytest.mark.parametrize("channel", [pagerduty, hook])
def test_a_secret_is_not_carried_elsewhere(web: Web, channel: object) -> None:
    web.next = [(307, {"Location": f"{web.url}/elsewhere"}), (302, {"Location": f"{web.url}/elsewhere"})]
    for _ in range(2):
        with pytest.raises(DeliveryError, match="answers with status 30"):
            channel(web).send(OPENED, None)  # type: ignore[operator]
    assert "/elsewhere" not in [path for path, _, _ in web.posted]


@HTTP
def test_a_server_that_hangs_is_left_after_a_while(web: Web, channel: object) -> None:
    web.next = ["hang"]
    with pytest.raises(DeliveryError, match="can't be reached") as error:
        channel(web).send(OPENED, None)  # type: ignore[operator]
    assert not error.value.permanent


@HTTP
def test_a_secret_is_in_no_log_no_error_and_no_repr(
    web: Web, channel: object, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    to: Channel = channel(web)  # type: ignore[operator]
    said = [repr(to), str(to)]
    for answer in ((400, {}), (500, {}), (429, {}), "drop", "hang"):
        web.next = [answer]
        try:
            to.send(OPENED, None)
        except DeliveryError as error:
            said += [repr(error), "".join(traceback.format_exception(error))]
    to.send(OPENED, None)
    shown = "\n".join([*said, caplog.text])
    assert len(said) > 10
    assert SECRET not in shown
