"""Every way to reach Redis: TCP, TLS, Unix socket, user and password."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pathway_viz.bus.connect import connect, safe_url
from pathway_viz.bus.embedded import EmbeddedServer, resolve_url
from pathway_viz.bus.publisher import Publisher
from pathway_viz.bus.reader import Reader
from pathway_viz.bus.types import BusOptions, Change
from pathway_viz.errors import BusUnreachable
from pathway_viz.topics import TopicKind
from tests.nodes import free_port
from tests.servers import RedisServer


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of our own for localhost, and its key beside it."""
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)
    return folder / "cert.pem"


@pytest.fixture(scope="module")
def urls(certificate: Path) -> Iterator[dict[str, str]]:
    """One Redis 7.0 that listens in every way, with a user who has a password."""
    port, tls = free_port(), free_port()
    server = RedisServer(
        "redis-7.0",
        *("--bind", "127.0.0.1", "--port", str(port), "--tls-port", str(tls)),
        *(
            "--tls-cert-file",
            str(certificate),
            "--tls-key-file",
            str(certificate.parent / "key.pem"),
        ),
        *("--tls-ca-cert-file", str(certificate), "--tls-auth-clients", "no"),
    )
    server.start()
    with connect(server.url) as client:
        client.acl_setuser("ann", enabled=True, passwords=["+s3cret"], commands=["+@all"],
                           keys=["pv:*"], channels=["pv:*"])  # fmt: skip
    yield {
        "tcp": f"redis://127.0.0.1:{port}/0",
        "password": f"redis://ann:s3cret@127.0.0.1:{port}/0",
        "tls": f"rediss://ann:s3cret@localhost:{tls}/0?ssl_ca_certs={certificate}",
        "unix": server.url,
    }
    server.remove()


@pytest.mark.parametrize("way", ["tcp", "password", "tls", "unix"])
async def test_the_bus_works_over_every_kind_of_url(urls: dict[str, str], way: str) -> None:
    options = BusOptions(url=urls[way])
    publisher, reader = Publisher(options, owner="test"), Reader(options)
    change = Change(topic=f"by-{way}", kind=TopicKind.APPEND, commit=1, rows=(b"[1]",))
    publisher.connect()
    publisher.publish([change])
    snapshot = await reader.snapshot(f"by-{way}", 10)
    await reader.close()
    publisher.close()
    assert snapshot is not None
    assert snapshot.batches == ((1, b"[1]"),)


def test_a_prefix_that_the_user_may_not_touch_is_one_clear_sentence(urls: dict[str, str]) -> None:
    publisher = Publisher(BusOptions(url=urls["password"], prefix="other"), owner="test")
    with pytest.raises(BusUnreachable, match=r"did not answer.*permissions") as refused:
        publisher.publish([Change(topic="a", kind=TopicKind.APPEND, commit=1, rows=(b"[1]",))])
    assert "s3cret" not in str(refused.value)


def test_a_wrong_password_is_one_clear_sentence_without_it(urls: dict[str, str]) -> None:
    url = urls["password"].replace("s3cret", "wr0ng")
    with pytest.raises(BusUnreachable) as refused:
        Publisher(BusOptions(url=url), owner="test").connect()
    assert "wr0ng" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://ann:s3cret@host:1/0", "redis://host:1/0"),
        ("rediss://:s3cret@host/0?password=x", "rediss://host/0"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
    ],
)
def test_a_url_is_shown_without_secrets(url: str, shown: str) -> None:
    assert safe_url(url) == shown


def test_an_embedded_server_keeps_its_state_over_a_restart(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "v")
    server.start()
    with connect(server.url) as client:
        client.set("a", "1")
    server.stop()
    server.start()
    with connect(server.url) as client:
        assert client.get("a") == b"1"
    server.stop()


def test_a_path_too_long_for_a_socket_is_said(tmp_path: Path) -> None:
    with pytest.raises(BusUnreachable, match="too long for a Unix socket"):
        EmbeddedServer(tmp_path / ("x" * 120)).start()


def test_the_environment_names_the_redis() -> None:
    assert resolve_url({"REDIS_URL": "redis://here"}) == "redis://here"
    assert resolve_url({"REDIS_URL": ""}) is None
