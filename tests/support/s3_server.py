"""SeaweedFS, a real object store behind S3's protocol, on 127.0.0.1 and without anything left."""

import contextlib
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cluster_tool.child import Child
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.http_probe import wait_until
from tests.cluster_tool.ports import free_ports
from tests.cluster_tool.toolchain import ensure_weed
from tests.support.s3_request import ACCESS_KEY, REGION, SECRET_KEY, ask

from actor_operator.settings_api import BucketSettings
from actor_operator.storage.bucket import Bucket

BUCKET = "bucket"
"""Name of the bucket."""

PROBE = f"/{BUCKET}/probe"
"""An object that is there when everything works."""

PARTS = ("master", "volume", "filer", "s3")
"""Servers in the one process."""

START_SECONDS = 60
"""How long it may take to start; three seconds where nothing else is done."""

SOCKETS = "/tmp/seaweedfs-{part}-grpc-{port}.sock"
"""Where it makes sockets without asking, and leaves them."""


class S3Server:
    """One server with an empty bucket, on the same ports from its first start to its last.

    Parameters
    ----------
    folder
        Where its files go.
    program
        SeaweedFS.
    """

    def __init__(self, folder: Path, program: Path) -> None:
        self._folder = folder
        self._program = program
        ports = free_ports(2 * len(PARTS))
        self._ports = dict(zip(PARTS, zip(ports[::2], ports[1::2], strict=True), strict=True))
        self.url = f"http://127.0.0.1:{self._ports['s3'][0]}"
        """Its address."""
        self.sockets = [SOCKETS.format(part=part, port=port) for part, port in self._grpc_ports()]
        """Files that it leaves outside its folder."""
        self._child: Child | None = None

    def start(self) -> None:
        """Start it, and make the bucket when there is none.

        Raises
        ------
        ClusterToolError
            It does not start.
        """
        log = self._folder / "log"
        child = self._child = Child("weed", self._command(), log)
        wait_until(
            "SeaweedFS",
            lambda: child.check() and self._serves(),
            seconds=START_SECONDS,
            explain=child.log_tail,
        )

    def kill(self) -> None:
        """End it at once, as a crash does; what is stored is there at the next start."""
        if self._child is not None:
            self._child.kill()

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Kill it, and start it again at the end."""
        with self.back_at_the_end():
            self.kill()
            yield

    @contextlib.contextmanager
    def back_at_the_end(self) -> Iterator[None]:
        """Start it again at the end."""
        try:
            yield
        finally:
            self.start()

    def settings(self, prefix: str) -> BucketSettings:
        """The settings of an object store in the bucket."""
        return bucket_settings(self.url, prefix)

    def bucket(self, prefix: str) -> Bucket:
        """An object store in the bucket."""
        return Bucket.of(self.settings(prefix))

    def uploads(self, prefix: str) -> list[str]:
        """Keys of an object store whose upload in parts is neither complete nor given up."""
        status, text = ask("GET", self.url, f"/{BUCKET}", uploads="")
        if status != 200:
            raise AssertionError(f"uploads cannot be listed: {status} {text}")
        found = re.findall("<Key>(.*?)</Key>", text)
        return [key.removeprefix(f"{prefix}/") for key in found if key.startswith(f"{prefix}/")]

    def _grpc_ports(self) -> list[tuple[str, int]]:
        return [(part, grpc) for part, (_, grpc) in self._ports.items()]

    def _serves(self) -> bool:
        """Whether it gives an object that it had before; the first time, one is made."""
        if ask("PUT", self.url, f"/{BUCKET}")[0] not in {200, 409}:
            return False
        status, _ = ask("GET", self.url, PROBE)
        if status == 404:
            ask("PUT", self.url, PROBE, b"x")
        return status == 200

    def _command(self) -> list[str]:
        identities = self._folder / "identities.json"
        credentials = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
        user = {"name": "tests", "credentials": credentials, "actions": ["Admin"]}
        identities.write_text(json.dumps({"identities": [user]}))
        data = self._folder / "data"
        data.mkdir(exist_ok=True)
        return [
            str(self._program),
            "-logtostderr",
            "server",
            f"-dir={data}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            *(f"-{part}.port={port}" for part, (port, _) in self._ports.items()),
            *(f"-{part}.port.grpc={port}" for part, port in self._grpc_ports()),
            "-master.telemetry=false",
            "-master.electionTimeout=1s",
            "-master.volumeSizeLimitMB=1024",
            "-volume.max=100",
            "-filer",
            f"-filer.localSocket={self._folder / 'filer.sock'}",
            "-s3",
            f"-s3.localSocket={self._folder / 's3.sock'}",
            f"-s3.config={identities}",
            "-s3.autoCreateBucket=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
        ]


def bucket_settings(url: str, prefix: str) -> BucketSettings:
    """The settings of an object store in the bucket of a server."""
    return BucketSettings(name=BUCKET, region=REGION, endpoint=url, prefix=prefix, allow_http=True)


@contextlib.contextmanager
def s3_server() -> Iterator[S3Server]:
    """Run a server; what asks it finds the credentials in the environment."""
    if shutil.which("setpriv") is None:
        pytest.skip("SeaweedFS is started by setpriv, which Linux has")
    try:
        program = ensure_weed()
    except ClusterToolError as error:
        pytest.skip(f"SeaweedFS cannot be had: {error}")
    folder = Path(tempfile.mkdtemp(prefix="s3-", dir="/tmp"))
    server = S3Server(folder, program)
    with (
        _removed_at_the_end(str(folder), *server.sockets),
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        environment.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        try:
            server.start()
            yield server
        finally:
            server.kill()


@contextlib.contextmanager
def _removed_at_the_end(*paths: str) -> Iterator[None]:
    """Remove files at the end, also when this process is killed: then its pipe is closed."""
    waiting = subprocess.Popen(
        ["sh", "-c", 'read _; rm -rf "$@"', "sh", *paths],
        stdin=subprocess.PIPE,
        start_new_session=True,  # else Ctrl-C ends it before the server
    )
    try:
        yield
    finally:
        waiting.communicate()
