"""A store that comes back is used within seconds, whatever state the breaker was in; order and stampedes are in test_lanes."""

import asyncio
import time

import pytest

from connectors.errors import Unavailable
from stream import breaker as module
from stream.breaker import CLOSED, HALF_OPEN, OPEN, Breaker, look_out


class Server:
    """Answers at once, refuses with a Retry-After, is gone, or hangs."""

    def __init__(self, mode="gone", asked_s=0.0):
        self.mode, self.asked_s, self.requests, self.tried = mode, asked_s, 0, 0

    async def request(self):
        self.requests += 1
        if self.mode == "hang":
            await asyncio.sleep(30)
        await asyncio.sleep(0.01)
        if self.mode != "there":
            raise Unavailable(self.mode, self.asked_s)
        return time.monotonic()

    async def ping(self):
        if self.mode == "hang":
            await asyncio.sleep(30)
        if self.mode == "gone":
            raise Unavailable("gone")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "LOOK_S", 0.05)
    monkeypatch.setattr(module, "LOOK_WITHIN_S", 0.1)


def back_after(server, first, then="there", away_s=0.4, within_s=5.0):
    """How long after the server changed the work was done, and the breaker."""

    async def run():
        breaker = Breaker("store", 2)
        looking = asyncio.ensure_future(look_out([breaker], server.ping))
        work = [asyncio.ensure_future(breaker.persist(server.request)) for _ in range(6)]
        await asyncio.sleep(away_s)
        for mode in (*first, then):
            server.mode, changed = mode, time.monotonic()
            await asyncio.sleep(away_s if mode != then else 0)
        try:
            done = await asyncio.wait_for(asyncio.gather(*work), within_s)
        finally:
            looking.cancel()
        return max(done) - changed, breaker

    return asyncio.run(run())


def test_a_pause_that_a_server_asked_for_does_not_outlive_it():
    took, breaker = back_after(Server("refuses", asked_s=300.0), ["gone"])

    assert took < 1.0
    assert (breaker.state, breaker.flying) == (CLOSED, 0)


def test_a_server_that_is_there_and_asks_for_a_pause_is_left_alone():
    server = Server("refuses", asked_s=300.0)
    with pytest.raises(TimeoutError):
        back_after(server, [], within_s=0.5)

    assert server.requests <= 2, "the two that flew when it began to refuse"


def test_a_store_that_was_stopped_is_used_at_once_though_pauses_had_grown(monkeypatch):
    monkeypatch.setattr(module, "pause_after", lambda attempt, asked: 60.0)
    took, breaker = back_after(Server("gone"), [])

    assert took < 1.0
    assert breaker.state == CLOSED


def test_a_request_that_hangs_does_not_keep_the_others_from_looking():
    async def run():
        server = Server("hang")
        breaker = Breaker("store", 1)
        breaker._be(OPEN)
        looking = asyncio.ensure_future(look_out([breaker], server.ping))
        hanging = asyncio.ensure_future(breaker.persist(server.request))
        other = asyncio.ensure_future(breaker.persist(server.request))
        await asyncio.sleep(0.4)
        state, requests = breaker.state, server.requests
        server.mode = "there"
        await asyncio.wait_for(other, 1.0)
        hanging.cancel()
        looking.cancel()
        await asyncio.gather(hanging, looking, return_exceptions=True)
        return state, requests, breaker

    state, requests, breaker = asyncio.run(run())

    assert (state, requests) == (HALF_OPEN, 1), "one looks, and hangs"
    assert (breaker.state, breaker.flying) == (CLOSED, 0)


def test_whoever_lost_his_partition_gives_up_and_holds_nothing():
    wanted = [True]

    async def run():
        breaker = Breaker("store", 1)
        server = Server("refuses", asked_s=300.0)
        work = asyncio.ensure_future(breaker.persist(server.request, lambda: wanted[0]))
        await asyncio.sleep(0.1)
        wanted[0] = False
        breaker.wake()
        return await asyncio.wait_for(work, 1.0), server.requests, breaker

    done, requests, breaker = asyncio.run(run())

    assert (done, requests) == (None, 1)
    assert (breaker.state, breaker.flying) == (OPEN, 0), (
        "that nobody asked does not say that the store is there"
    )


def test_requests_that_fail_together_are_one_failure():
    async def run():
        breaker = Breaker("store", 8)
        server = Server("refuses", asked_s=0.3)
        work = [asyncio.ensure_future(breaker.persist(server.request)) for _ in range(8)]
        await asyncio.sleep(0.1)
        attempts = breaker.attempt
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        return attempts, server.requests

    assert asyncio.run(run()) == (1, 8)


def test_a_server_too_slow_for_large_requests_gets_smaller_ones(monkeypatch):
    monkeypatch.setattr(module, "pause_after", lambda attempt, asked: 0.0)
    sizes = []

    async def run():
        breaker = Breaker("store", 1)

        async def request():
            size = max(1, round(2500 * breaker.portion))
            sizes.append(size)
            if size > 200:
                raise Unavailable("too slow")

        await asyncio.wait_for(breaker.persist(request), 5.0)
        return breaker

    breaker = asyncio.run(run())

    assert sizes == [2500, 625, 156]
    assert breaker.portion == 2 / 16


def test_requests_get_smaller_before_a_slow_server_gives_them_up(monkeypatch):
    monkeypatch.setattr(module, "SLOW_S", 0.06)
    sizes = []

    async def run():
        breaker = Breaker("store", 1)

        async def request():
            sizes.append(breaker.portion)
            await asyncio.sleep(0.2 * breaker.portion)

        for _ in range(8):
            await breaker.persist(request)

    asyncio.run(run())

    assert sizes[:3] == [1.0, 0.5, 0.25]
    assert set(sizes[3:]) <= {0.25, 0.125}
