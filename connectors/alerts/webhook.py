"""Alerts to a webhook, signed as Standard Webhooks says: https://www.standardwebhooks.com."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson

from connectors.errors import PayloadError, Reason, Unavailable

TIMEOUT_S = 15.0
LONGEST_PAUSE_S = 300.0


def sign(secret: str, identity: str, timestamp: int, body: bytes) -> str:
    """The header webhook-signature: v1, and base64 of HMAC-SHA256 over id.timestamp.body.

    Raises:
        PayloadError: the secret is not whsec_ and base64.

    """
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError as error:
        raise PayloadError("the webhook's secret is not whsec_<base64>", Reason.BAD_SIGNATURE) from error
    signed = f"{identity}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class Webhook:
    """One receiver. `disabled` once it answered 410 Gone."""

    def __init__(self, url: str, secret: str) -> None:
        self.url, self.secret, self.disabled = url, secret, False

    async def deliver(self, session: aiohttp.ClientSession, alert: Mapping[str, Any], now_s: int) -> bool:
        """Deliver one alert under an id of its own for each thing said of it, so that a repeat is recognised.

        Returns:
            Whether it was delivered; False only when the receiver is gone or refuses it for good.

        Raises:
            Unavailable: try again after its pause.

        """
        if self.disabled:
            return False
        body = orjson.dumps(
            {"type": f"alert.{alert['state']}", "timestamp": alert["at"], "data": dict(alert)}
        )
        identity = f"{alert['alert_id']}-{alert['state']}-{alert['at']}"
        headers = {
            "content-type": "application/json",
            "webhook-id": identity,
            "webhook-timestamp": str(now_s),
            "webhook-signature": sign(self.secret, identity, now_s, body),
        }
        try:
            async with session.post(
                self.url, data=body, headers=headers, allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
            ) as answer:  # fmt: skip
                status, after = answer.status, answer.headers.get("Retry-After", "")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"webhook: {type(error).__name__}", 2.0) from error
        if 200 <= status < 300:
            return True
        if status == 410:
            self.disabled = True
            return False
        if status in (408, 425, 429) or status >= 500:
            pause = float(after) if after.isdigit() else 5.0
            raise Unavailable(f"webhook: HTTP {status}", min(pause, LONGEST_PAUSE_S))
        return False
