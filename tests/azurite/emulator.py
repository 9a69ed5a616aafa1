"""Azurite, Microsoft's emulator of Azure Storage: blobs and tables behind their real interfaces, on this machine.

`python -m tests.azurite.emulator` installs it, so that the tests need not wait for it.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from email.utils import formatdate
from pathlib import Path

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The key that Microsoft publishes for every emulator."""
WRONG = KEY.replace("Eby8", "AAAA")
"""A key that it does not take."""
_HERE = Path(__file__).parent
_LISTENS = re.compile(r"Azurite (Blob|Table) service is successfully listening at (\S+)")


class NotInstallableError(Exception):
    """Why there is no Azurite; for the reason of a skip."""


def installed() -> Path:
    """The emulator's program, installed into the user's cache if it is not there.

    Raises:
        NotInstallableError: it can't be.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise NotInstallableError("node and npm are not installed; they bring Azurite, the emulator of Azure Storage")
    asked = [_HERE / "package.json", _HERE / ".npmrc"]
    mark = hashlib.sha256(b"".join(path.read_bytes() for path in asked)).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "riotd-tests"
    folder = cache / f"azurite-{mark}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=cache, prefix="installing-"))
        try:
            for path in asked:
                shutil.copy(path, part)
            _run_npm(npm, part)
            with contextlib.suppress(OSError):  # somebody else was quicker
                part.rename(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return folder / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"


def _run_npm(npm: str, folder: Path) -> None:
    try:
        done = subprocess.run([npm, "install"], cwd=folder, capture_output=True, text=True, check=False, timeout=240)
    except subprocess.TimeoutExpired as error:
        raise NotInstallableError("npm could not install Azurite in 4 minutes") from error
    if done.returncode:
        raise NotInstallableError(f"npm could not install Azurite: {' '.join(done.stderr.split())[:200]}")


class Azurite:
    """A running emulator that forgets everything when it is stopped.

    Attributes:
        blobs: URL of the account's blob service.
        tables: the same of its table service.
    """

    def __init__(self, folder: Path) -> None:
        command = [
            str(shutil.which("node")), str(installed()), "--silent", "--inMemoryPersistence", "--disableTelemetry",
            "--skipApiVersionCheck", "--blobPort", "0", "--queuePort", "0", "--tablePort", "0",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        found = self._addresses()
        self.blobs, self.tables = (f"{found[kind]}/{ACCOUNT}" for kind in ("Blob", "Table"))

    def connection(self, key: str = KEY) -> str:
        """The connection string, for AZURE_STORAGE_CONNECTION_STRING."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={key};"
            f"BlobEndpoint={self.blobs};TableEndpoint={self.tables};"
        )

    def make_container(self, name: str) -> None:
        """Have a container; by hand, as no library of ours makes any."""
        date, version = formatdate(usegmt=True), "2021-08-06"
        signed = "PUT" + "\n" * 12 + f"x-ms-date:{date}\nx-ms-version:{version}\n"
        signed += f"/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
        mac = base64.b64encode(hmac.digest(base64.b64decode(KEY), signed.encode(), hashlib.sha256)).decode()
        headers = {"x-ms-date": date, "x-ms-version": version, "Authorization": f"SharedKey {ACCOUNT}:{mac}"}
        request = urllib.request.Request(
            f"{self.blobs}/{name}?restype=container", method="PUT", headers={**headers, "Content-Length": "0"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 201

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _addresses(self) -> dict[str, str]:
        assert self._process.stdout is not None
        found: dict[str, str] = {}
        said = []
        for line in self._process.stdout:
            said.append(line)
            if match := _LISTENS.search(line):
                found[match[1]] = match[2]
            if len(found) == 2:
                return found
        raise RuntimeError("Azurite ended: " + "".join(said)[-1000:])


if __name__ == "__main__":
    try:
        installed()
    except NotInstallableError as reason:
        sys.exit(f"azurite: {reason}")
