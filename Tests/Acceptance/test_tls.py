"""TLS and client certificates on every port: who is let in, and that certificates can be renewed."""

import http.client
import json
import signal
import socket
import ssl
import subprocess
import time

import grpc
import pytest
import requests
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from support import otlp
from support.certificates import DAY, Authority
from support.gateway import clean_environment, edges, run

GRPC, HTTP, QUERY = "receiver.grpc", "receiver.http", "query"
SECTIONS = [GRPC, HTTP, QUERY]
PORTS = {GRPC: "grpc_port", HTTP: "http_port", QUERY: "query_port"}
USAGE, UNREACHABLE, FAILED = 64, 69, 70


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "certificates")


@pytest.fixture
def pair(authority):
    return authority.issue("gateway")


@pytest.fixture
def secure(make_gateway, authority, pair):
    """A gateway with a certificate on each port."""
    return make_gateway(tls=authority.context(), **pair.settings(*SECTIONS)).start()


def port(gateway, section):
    return getattr(gateway, PORTS[section])


def connect(gateway, section, context, **options):
    """A connection that has agreed on keys."""
    raw = socket.create_connection(("127.0.0.1", port(gateway, section)), timeout=30)
    return context.wrap_socket(raw, server_hostname="localhost", **options)


def ask(connection, path="/livez"):
    """The status of one request over HTTP/1.1; raises when the connection is no good."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer.status


def serial(connection):
    return int(connection.getpeercert()["serialNumber"], 16)


def shown(gateway, section, authority):
    """The serial number of the certificate that a new connection is shown."""
    with connect(gateway, section, authority.context()) as connection:
        return serial(connection)


def export(channel, callee):
    body = otlp.to_protobuf(otlp.request(otlp.call("frontend", callee)))
    trace_service_pb2_grpc.TraceServiceStub(channel).Export(body, timeout=30)


def channel(gateway, authority, pair=None):
    credentials = grpc.ssl_channel_credentials(
        root_certificates=authority.file.read_bytes(),
        private_key=pair and pair.key_pem,
        certificate_chain=pair and pair.certificate_pem,
    )
    return grpc.secure_channel(f"localhost:{gateway.grpc_port}", credentials)


def metric(gateway, name, **labels):
    pattern = name + "{" + ",".join(f'{k}="{v}"' for k, v in sorted(labels.items())) + "} "
    for line in gateway.metrics().splitlines():
        if line.startswith(pattern):
            return float(line.removeprefix(pattern))
    raise AssertionError(f"no {pattern}in:\n{gateway.metrics()}")


def handshakes(gateway, name, outcome):
    return metric(gateway, "spangate_tls_handshakes_total", port=name, outcome=outcome)


def test_every_way_in_and_out(secure, authority):
    """OTLP/gRPC, OTLP/HTTP over both versions of HTTP, and the query API, all over TLS."""
    with channel(secure, authority) as secured:
        export(secured, "over-grpc")
    for version in ("--http1.1", "--http2"):
        body = json.dumps(otlp.request(otlp.call("frontend", f"over{version}"))).encode()
        command = ["curl", "--silent", "--fail", version, "--cacert", authority.file]
        command += ["--data-binary", "@-", "-H", "content-type: application/json"]
        answer = subprocess.run(
            [*command, f"{secure.http}/v1/traces"], input=body, capture_output=True, timeout=60
        )
        assert (answer.returncode, answer.stdout) == (0, b"{}"), answer
    answer = requests.post(
        f"{secure.http}/v1/traces",
        data=otlp.to_protobuf(otlp.request(otlp.call("frontend", "over-requests"))).SerializeToString(),
        headers={"content-type": "application/x-protobuf"},
        verify=authority.file,
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    assert edges(secure.graph()) == {
        ("frontend", callee): (1, 0)
        for callee in ("over-grpc", "over--http1.1", "over--http2", "over-requests")
    }
    assert f"ENDPOINT=https://127.0.0.1:{secure.grpc_port}" in secure.output.read_text()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("section", SECTIONS)
def test_versions_and_protocols(secure, authority, section):
    """TLS 1.2 and 1.3, nothing older; ALPN says what the port speaks."""
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = authority.context(alpn=["h2", "http/1.1"])
        context.minimum_version = context.maximum_version = version
        with connect(secure, section, context) as connection:
            assert connection.version() == version.name.replace("_", ".")
            assert connection.selected_alpn_protocol() == ("http/1.1" if section == QUERY else "h2")
    with connect(secure, section, authority.context(alpn=["http/1.1"])) as connection:
        assert connection.selected_alpn_protocol() == "http/1.1"
    old = authority.context()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        connect(secure, section, old)
    # The old version was offered, and it was the gateway that would not have it.
    name = section.removeprefix("receiver.")
    secure.wait(lambda: handshakes(secure, name, "failed") == 1, "refuse the old version")


@pytest.mark.parametrize("section", SECTIONS)
def test_without_tls_nothing_is_said(secure, section):
    """A client that speaks no TLS to a port that does gets no answer, and nobody else is harmed."""
    with socket.create_connection(("127.0.0.1", port(secure, section)), timeout=30) as plain:
        plain.sendall(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n")
        try:
            assert b"HTTP/" not in plain.recv(65536)
        except ConnectionError:
            pass
    name = section.removeprefix("receiver.")
    secure.wait(lambda: handshakes(secure, name, "failed") == 1, "count the handshake")
    assert secure.ready()


def test_slow_handshakes_end(secure):
    """Clients that agree on nothing are let go after ten seconds, on every port."""
    connections = [
        socket.create_connection(("127.0.0.1", port(secure, section)), timeout=60)
        for section in SECTIONS
    ]
    begin = time.monotonic()
    for connection in connections:
        with connection:
            assert connection.recv(1) == b""
    assert 8 < time.monotonic() - begin < 30
    for name in ("grpc", "http", "query"):
        assert handshakes(secure, name, "timed_out") == 1


def test_client_certificates(make_gateway, tmp_path, authority, pair):
    """With authorities for clients, a client needs a certificate of theirs, on every port."""
    clients = Authority(tmp_path / "clients", "client authority")
    client, stranger = clients.issue("exporter"), authority.issue("stranger")
    gateway = make_gateway(
        tls=authority.context(client), **pair.settings(*SECTIONS, client_ca=clients.file)
    ).start()
    for section in SECTIONS:
        for shown in (None, stranger):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                # With TLS 1.3 a client learns only after the handshake that it was refused.
                with connect(gateway, section, authority.context(shown)) as connection:
                    ask(connection)
        with connect(gateway, section, authority.context(client)) as connection:
            assert ask(connection) == (200 if section == QUERY else 404)
    with channel(gateway, authority, client) as secured:
        export(secured, "known")
    with channel(gateway, authority) as unknown, pytest.raises(grpc.RpcError) as refusal:
        export(unknown, "unknown")
    assert refusal.value.code() == grpc.StatusCode.UNAVAILABLE
    assert edges(gateway.graph()) == {("frontend", "known"): (1, 0)}


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_sessions_with_client_certificates_resume(make_gateway, authority, pair, version):
    """A client that comes again with the session of before is served."""
    client = authority.issue("exporter")
    gateway = make_gateway(
        tls=authority.context(client), **pair.settings(*SECTIONS, client_ca=authority.file)
    ).start()
    context = authority.context(client)
    context.maximum_version = ssl.TLSVersion[version]
    with connect(gateway, QUERY, context) as connection:
        assert ask(connection) == 200
        session = connection.session
    with connect(gateway, QUERY, context, session=session) as connection:
        assert ask(connection) == 200


@pytest.mark.parametrize("way", ["told", "noticed"])
def test_renewal(secure, authority, pair, way):
    """New files are taken on SIGHUP or by themselves; open connections go on with what they have."""
    with channel(secure, authority) as open_channel:
        export(open_channel, "before")
        with connect(secure, QUERY, authority.context()) as open_connection:
            assert ask(open_connection) == 200
            renewed = authority.issue("renewed", end=25 * DAY)
            renewed.put_in_place_of(pair)
            if way == "told":
                secure.process.send_signal(signal.SIGHUP)

            for section in SECTIONS:
                secure.wait(
                    lambda: shown(secure, section, authority) == renewed.serial,
                    "show the new certificate",
                )
            before = handshakes(secure, "grpc", "completed")
            export(open_channel, "after")
            assert handshakes(secure, "grpc", "completed") == before
            assert ask(open_connection) == 200
            assert serial(open_connection) == pair.serial
    expiry = metric(secure, "spangate_tls_certificate_expiry_seconds", port="grpc")
    assert expiry == renewed.not_after
    assert metric(secure, "spangate_tls_reloads_total", port="grpc", outcome="taken") == 1
    assert edges(secure.graph()) == {("frontend", c): (1, 0) for c in ("before", "after")}


def test_broken_renewal(secure, authority, pair):
    """Files that are of no use change nothing, are counted and explained; good ones heal it."""
    pair.certificate.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n")
    secure.process.send_signal(signal.SIGHUP)
    for name in ("grpc", "http", "query"):
        secure.wait(
            lambda: metric(secure, "spangate_tls_reloads_total", port=name, outcome="failed") >= 1,
            "count the failure",
        )
    assert shown(secure, QUERY, authority) == pair.serial
    said = secure.log.read_text()
    assert "the one before stays in use" in said
    assert f"query.tls.certificate_file: the file {pair.certificate} holds no certificate" in said
    renewed = authority.issue("renewed")
    renewed.put_in_place_of(pair)
    secure.process.send_signal(signal.SIGHUP)
    secure.wait(lambda: shown(secure, QUERY, authority) == renewed.serial, "take the good files")


def test_new_authority_for_clients(make_gateway, tmp_path, authority, pair):
    """Who may come in changes with the file of authorities, for new connections."""
    old, new = Authority(tmp_path / "old", "old"), Authority(tmp_path / "new", "new")
    old_client, new_client = old.issue("old-client"), new.issue("new-client")
    known = tmp_path / "known.pem"
    known.write_bytes(old.file.read_bytes())
    gateway = make_gateway(
        tls=authority.context(), **pair.settings(HTTP, client_ca=known)
    ).start()

    def is_served(client):
        try:
            with connect(gateway, HTTP, authority.context(client)) as connection:
                return ask(connection) == 404
        except (ssl.SSLError, ConnectionError):
            return False

    assert is_served(old_client) and not is_served(new_client)
    known.write_bytes(new.file.read_bytes())
    gateway.process.send_signal(signal.SIGHUP)
    gateway.wait(lambda: is_served(new_client), "know the new authority")
    assert not is_served(old_client)


def test_what_is_wrong_is_said_at_start(make_gateway, tmp_path, authority, pair):
    other = authority.issue("other")
    sealed = authority.issue("sealed", passphrase=b"secret")
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("nothing")
    good = pair.settings(QUERY)
    for setting, value, words in [
        ("certificate_file", tmp_path / "none.crt", "cannot be read (no such file or directory)"),
        ("certificate_file", nothing, "holds no certificate that can be read"),
        ("key_file", nothing, "holds no private key that can be read"),
        ("key_file", other.key, "does not belong to the first certificate in"),
        ("key_file", sealed.key, "has a passphrase"),
        ("client_ca_file", nothing, "holds no certificate that can be read"),
    ]:
        gateway = make_gateway(**(good | {f"query.tls.{setting}": value}))
        gateway.launch()
        gateway.ended()
        said = gateway.log.read_text()
        assert gateway.process.returncode == FAILED, said
        assert f"cannot start: query.tls.{setting}: " in said and words in said, said
    for given, missing in [("certificate_file", "key_file"), ("key_file", "certificate_file")]:
        gateway = make_gateway(**{f"query.tls.{given}": good[f"query.tls.{given}"]})
        gateway.launch()
        gateway.ended()
        assert gateway.process.returncode == USAGE
        assert f"query.tls.{given}: is given without query.tls.{missing}" in gateway.log.read_text()


def test_what_is_doubtful_is_warned_about(make_gateway, authority):
    expired = authority.issue("expired", begin=-3 * DAY, end=-DAY)
    expired.key.chmod(0o644)
    gateway = make_gateway(**expired.settings(GRPC)).start()
    warnings = [json.loads(line) for line in gateway.log.read_text().splitlines()]
    messages = [w for w in warnings if w["level"] == "warning" and w.get("port") == "grpc"]
    texts = " ".join(json.dumps(w) for w in messages)
    assert "has expired" in texts, warnings
    assert f"every user of this machine may read the key in {expired.key}" in texts, warnings
    assert metric(gateway, "spangate_tls_certificate_expiry_seconds", port="grpc") < time.time()


def test_commands(secure, authority, tmp_path):
    """The command line asks and sends over TLS, and says what is wrong when it cannot."""
    file = tmp_path / "trace.json"
    file.write_text(json.dumps(otlp.request(otlp.call("frontend", "checkout"))))
    sent = run("replay", file, "--to", secure.http, "--ca-file", authority.file)
    assert sent.returncode == 0, sent.stderr
    secure.flush()
    asked = ("graph", "--format", "json", "--server", secure.query)
    for arguments, variables in [
        (["--ca-file", authority.file], {}),
        ([], {"SPANGATE_CA_FILE": str(authority.file)}),
    ]:
        result = run(*asked, *arguments, environment=clean_environment() | variables)
        assert result.returncode == 0, result.stderr
        assert edges(json.loads(result.stdout)) == {("frontend", "checkout"): (1, 0)}
    unknown = run(*asked)
    assert unknown.returncode == UNREACHABLE
    assert "its certificate is from no authority known here" in unknown.stderr, unknown.stderr


def test_commands_with_client_certificates(make_gateway, authority, pair):
    client = authority.issue("person")
    gateway = make_gateway(
        tls=authority.context(client), **pair.settings(QUERY, client_ca=authority.file)
    ).start()
    asked = ("graph", "--server", gateway.query, "--ca-file", authority.file)
    shown = run(*asked, "--certificate-file", client.certificate, "--key-file", client.key)
    assert shown.returncode == 0, shown.stderr
    hidden = run(*asked)
    assert hidden.returncode == UNREACHABLE
    assert "it wants a certificate" in hidden.stderr, hidden.stderr
    half = run(*asked, "--certificate-file", client.certificate)
    assert half.returncode == USAGE and "a certificate needs its key" in half.stderr
