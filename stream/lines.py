"""Lines to the broker, so that what is urgent passes what is much."""

from typing import Any

from faust.transport.drivers import aiokafka as driver


class Producer(driver.Producer):
    """Three lines to the broker: aiokafka sends one request a connection at a time, and what is urgent must not queue.

    Faust's own takes estimates and letters; `changelog` takes state and the books of alerts, in their order; `swift` takes
    alerts, and waits for nothing to come with them.
    """

    changelog: Any = None
    swift: Any = None

    async def on_start(self) -> None:
        """Open the lines."""
        await super().on_start()
        settings = {**self._settings_default(), **self._settings_auth(), **self._settings_extra()}
        self.changelog = self._producer_type(**settings)
        self.swift = self._producer_type(**settings | {"linger_ms": 0})
        await self.changelog.start()
        await self.swift.start()

    async def on_stop(self) -> None:
        """Close them."""
        for line in (self.changelog, self.swift):
            if line is not None:
                await line.stop()
        await super().on_stop()
