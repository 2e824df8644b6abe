"""A TCP proxy that disturbs: latency, little bandwidth, cut, reset, hang, garbage (toxiproxy's kinds), a busy server."""

import asyncio
import contextlib
import socket
import struct
import threading

PAGE = b"<html>Welcome to the hotel</html>"
GARBAGE = {
    "garbage": b"\x00\xff\x13\x37 this is no HTTP\r\n\r\n",
    "page": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (len(PAGE), PAGE),
    "busy": b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 300\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b"
    % (len(PAGE), PAGE),
    "refusal": b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b"
    % (len(PAGE), PAGE),
}


class Proxy:
    """Between a client and 127.0.0.1:`target`; `mode` may change at any time and holds for new bytes."""

    def __init__(self, target):
        self.target, self.mode, self.port, self.connections = target, "pass", 0, 0
        self.loop, self.ready = asyncio.new_event_loop(), threading.Event()
        self.tasks = set()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        async def start():
            self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.port = self.server.sockets[0].getsockname()[1]
            self.ready.set()

        self.loop.run_until_complete(start())
        self.loop.run_forever()

    def __enter__(self):
        self.thread.start()
        self.ready.wait(10)
        return self

    def __exit__(self, *_):
        async def stop():
            self.server.close()
            for task in list(self.tasks):
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self.tasks.add(task)
        self.connections += 1
        try:
            await self._carry(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self.tasks.discard(task)
            with contextlib.suppress(OSError):
                writer.close()

    async def _carry(self, reader, writer):
        if self.mode in GARBAGE:
            await reader.read(1 << 16)
            writer.write(GARBAGE[self.mode])
            await writer.drain()
            return
        if self.mode == "reset":
            writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            return
        back, to = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            await asyncio.wait(
                [
                    asyncio.ensure_future(self._pump(reader, to)),
                    asyncio.ensure_future(self._pump(back, writer)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            to.close()

    async def _pump(self, reader, writer):
        with contextlib.suppress(OSError):  # one side went away: so does the other
            await self._hand_on(reader, writer)

    async def _hand_on(self, reader, writer):
        while data := await reader.read(1 << 14):
            mode = self.mode
            if mode == "latency":
                await asyncio.sleep(0.3)
            elif mode == "bandwidth":
                await asyncio.sleep(len(data) / 200_000)
            elif mode == "hang":
                while self.mode == "hang":
                    await asyncio.sleep(0.1)
                return
            elif mode == "cut":
                writer.write(data[: len(data) // 2])
                await writer.drain()
                return
            elif mode in GARBAGE or mode == "reset":
                return
            writer.write(data)
            await writer.drain()
