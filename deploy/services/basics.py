"""What every service here needs: the cache, free ports, an end by process id."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wearable-twin" / "services"


class Missing(RuntimeError):  # noqa: N818 - reads as what is wrong
    """A tool that this needs is not on the machine."""


def need(*tools: str) -> None:
    """Raise Missing when a tool is not on the PATH."""
    if absent := [tool for tool in tools if shutil.which(tool) is None]:
        raise Missing(f"{', '.join(absent)} not on the PATH")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def end_process(process: "subprocess.Popen[bytes] | None") -> None:
    """Ask it to stop, then make it."""
    if process is not None and process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
