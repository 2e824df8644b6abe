"""A disk that can be full: a tmpfs in a mount namespace of its own, made smaller than what is on it.

Nobody's rights on the machine are needed, only user namespaces (`unshare -rm`), which most containers allow.
"""

import os
import subprocess

from deploy.services.services import Influx2

MEGABYTE = 1 << 20
MARGIN = MEGABYTE  # that a disk which counts as full may still take: pages of files that are open


class Disk:
    """A file system of so many megabytes at a folder, seen by those who are started behind `within`."""

    def __init__(self, folder, megabytes):
        self.folder, self.megabytes = folder, megabytes
        folder.mkdir()
        mount = f"mount -t tmpfs -o size={megabytes}m tmpfs {folder} && echo ready && exec sleep infinity"
        self.holder = subprocess.Popen(
            ["unshare", "-rm", "sh", "-c", mount], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        if self.holder.stdout.readline() != b"ready\n":
            words = self.holder.stderr.read().decode()[-200:]
            self.close()
            raise RuntimeError(f"no disk of limited size here: {words}")

    def within(self):
        """What comes before a command that is to see it."""
        return ["nsenter", "-t", str(self.holder.pid), "-U", "-m", "--preserve-credentials", "--"]

    def used(self):
        """Bytes."""
        about = os.statvfs(f"/proc/{self.holder.pid}/root{self.folder}")
        return (about.f_blocks - about.f_bfree) * about.f_frsize

    def _resize(self, size):
        command = [*self.within(), "mount", "-o", f"remount,size={size}", str(self.folder)]
        subprocess.run(command, check=True, capture_output=True, timeout=30)

    def fill(self):
        """From now on nothing can be written."""
        self._resize((self.used() + MARGIN) // 4096 * 4096)

    def free(self):
        """As large as it was."""
        self._resize(self.megabytes * MEGABYTE)

    def close(self):
        """It and what is on it are gone."""
        with self.holder:
            self.holder.kill()


class InfluxOnDisk(Influx2):
    """InfluxDB whose data lie on a disk of limited size; what names its users and buckets does not."""

    def __init__(self, folder, megabytes=3000):
        super().__init__(folder)
        self.disk = Disk((folder / "engine").absolute(), megabytes)
        self.within = self.disk.within()

    def close(self):
        """Stop it and give the memory back."""
        self.stop()
        self.disk.close()
