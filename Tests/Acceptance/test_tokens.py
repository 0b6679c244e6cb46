"""Tokens: who may send, ask, announce and administer, with the clients people use."""

import json
import signal
import urllib.error
import urllib.request

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from support import otlp
from support.certificates import Authority
from support.gateway import clean_environment, edges, run

SCOPES = ["ingest", "query", "markers", "admin"]
USAGE, FAILED, NOT_ALLOWED = 64, 70, 77


class Token:
    """One that `spangate token` made."""

    def __init__(self, name, *scopes):
        asked = [argument for scope in scopes for argument in ("--scope", scope)]
        made = run("token", "--name", name, *asked, "--format", "json")
        assert made.returncode == 0, made.stderr
        answer = json.loads(made.stdout)
        self.text, self.line = answer["token"], answer["line"]
        self.headers = {"authorization": f"Bearer {self.text}"}


@pytest.fixture
def tokens():
    return {scope: Token(f"for-{scope}", scope) for scope in SCOPES}


@pytest.fixture
def file(tmp_path, tokens):
    path = tmp_path / "tokens"
    write(path, *tokens.values())
    return path


@pytest.fixture
def guarded(make_gateway, file):
    return make_gateway(**{"tokens.file": file}).start()


def write(path, *tokens):
    path.touch(mode=0o600)
    path.write_text("# known tokens\n" + "".join(f"{token.line}\n" for token in tokens))


def ask(url, token=None, method="GET", body=None, content_type="application/json"):
    headers = dict(token.headers) if token else {}
    if body is not None:
        headers["content-type"] = content_type
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers, refusal.read().decode()


def body(callee):
    return otlp.to_protobuf(otlp.request(otlp.call("frontend", callee)))


def export(gateway, callee, token=None):
    with grpc.insecure_channel(f"127.0.0.1:{gateway.grpc_port}") as channel:
        stub = trace_service_pb2_grpc.TraceServiceStub(channel)
        metadata = list(token.headers.items()) if token else None
        stub.Export(body(callee), timeout=30, metadata=metadata)


def graph(gateway, tokens):
    assert ask(f"{gateway.query}/api/v1/admin/flush", tokens["admin"], "POST")[0] == 200
    status, _, text = ask(f"{gateway.query}/api/v1/graph", tokens["query"])
    assert status == 200, text
    return edges(json.loads(text))


def test_sending(guarded, tokens):
    """Only a token for ingest sends, over gRPC and over HTTP; refusals are told apart and counted."""
    unknown = Token("unknown", *SCOPES)
    for token, code, status in [
        (None, grpc.StatusCode.UNAUTHENTICATED, 401),
        (unknown, grpc.StatusCode.UNAUTHENTICATED, 401),
        (tokens["admin"], grpc.StatusCode.PERMISSION_DENIED, 403),
    ]:
        with pytest.raises(grpc.RpcError) as refusal:
            export(guarded, "refused", token)
        assert refusal.value.code() == code
        challenge = dict(refusal.value.trailing_metadata())["www-authenticate"]
        assert challenge.startswith('Bearer realm="spangate"')
        answer = ask(
            f"{guarded.http}/v1/traces",
            token,
            "POST",
            body("refused").SerializeToString(),
            "application/x-protobuf",
        )
        assert answer[0] == status and answer[1]["www-authenticate"] == challenge
    export(guarded, "over-grpc", tokens["ingest"])
    sent = ask(
        f"{guarded.http}/v1/traces",
        tokens["ingest"],
        "POST",
        body("over-http").SerializeToString(),
        "application/x-protobuf",
    )
    assert sent[0] == 200, sent
    assert graph(guarded, tokens) == {
        ("frontend", "over-grpc"): (1, 0),
        ("frontend", "over-http"): (1, 0),
    }
    metrics = ask(f"{guarded.query}/metrics", tokens["query"])[2]
    for transport in ("grpc", "http"):
        for reason in ("missing", "unknown", "scope"):
            labels = f'{{reason="{reason}",transport="{transport}"}}'
            assert f"spangate_access_refused_total{labels} 1" in metrics
    assert "spangate_tokens 4" in metrics


def test_an_sdk(guarded, tokens):
    """The header variable of the SDKs is all an application needs."""
    exporter = OTLPSpanExporter(
        endpoint=f"http://127.0.0.1:{guarded.grpc_port}",
        headers=tuple(tokens["ingest"].headers.items()),
    )
    provider = TracerProvider(resource=Resource.create({"service.name": "application"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("test").start_as_current_span("work"):
        pass
    provider.shutdown()
    ask(f"{guarded.query}/api/v1/admin/flush", tokens["admin"], "POST")
    status, _, services = ask(f"{guarded.query}/api/v1/services", tokens["query"])
    assert status == 200 and "application" in services


def test_asking(guarded, tokens):
    """Each way to ask or to change needs its scope; probes and gRPC health need none."""
    marker = b'{"kind": "config", "service": "checkout"}'
    for path, method, sent, needed in [
        ("/api/v1/graph", "GET", None, "query"),
        ("/metrics", "GET", None, "query"),
        ("/api/v1/markers", "GET", None, "query"),
        ("/api/v1/markers", "POST", marker, "markers"),
        ("/api/v1/admin/flush", "POST", None, "admin"),
    ]:
        url = guarded.query + path
        status, headers, text = ask(url, None, method, sent)
        problem = json.loads(text)
        assert (status, problem["type"]) == (401, "urn:spangate:problem:missing-token")
        assert headers["www-authenticate"] == 'Bearer realm="spangate"'
        for scope, token in tokens.items():
            status = ask(url, token, method, sent)[0]
            assert (status < 300) if scope == needed else (status == 403), (path, method, scope)
    for path in ("/livez", "/readyz"):
        assert ask(guarded.query + path)[0] == 200
    with grpc.insecure_channel(f"127.0.0.1:{guarded.grpc_port}") as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(), timeout=30
        )
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_webhooks(make_gateway, file, tokens):
    """A source with a secret signs and needs no token; one without needs a token for markers."""
    gateway = make_gateway(**{"tokens.file": file, "webhooks.gitlab.secret": "hunter2"}).start()
    signed = urllib.request.Request(
        f"{gateway.query}/api/v1/webhooks/gitlab",
        data=b"{}",
        headers={"x-gitlab-token": "hunter2", "content-type": "application/json"},
    )
    try:
        status = urllib.request.urlopen(signed, timeout=60).status
    except urllib.error.HTTPError as refusal:
        status = refusal.code
    assert status not in (401, 403)
    url = f"{gateway.query}/api/v1/webhooks/jenkins"
    assert ask(url, None, "POST", b"{}")[0] == 401
    assert ask(url, tokens["query"], "POST", b"{}")[0] == 403
    assert ask(url, tokens["markers"], "POST", b"{}")[0] not in (401, 403)


def test_rotation(make_gateway, tmp_path):
    """Two tokens of one name are known at once; one that is taken away is refused from then on."""
    old, new = Token("exporter", "ingest"), Token("exporter", "ingest")
    reader = Token("reader", "query", "admin")
    path = tmp_path / "tokens"
    write(path, old, reader)
    gateway = make_gateway(**{"tokens.file": path}).start()

    def is_let_in(token):
        try:
            export(gateway, "checkout", token)
        except grpc.RpcError as refusal:
            assert refusal.code() == grpc.StatusCode.UNAUTHENTICATED
            return False
        return True

    assert is_let_in(old) and not is_let_in(new)
    write(path, old, new, reader)
    gateway.process.send_signal(signal.SIGHUP)
    gateway.wait(lambda: is_let_in(new), "know the new token")
    assert is_let_in(old)
    write(path, new, reader)
    # Without being told.
    gateway.wait(lambda: not is_let_in(old), "forget the old token")
    assert is_let_in(new)
    path.write_text("nonsense\n")
    gateway.process.send_signal(signal.SIGHUP)
    gateway.wait(lambda: "those before stay in use" in gateway.log.read_text(), "complain")
    assert is_let_in(new)
    metrics = ask(f"{gateway.query}/metrics", reader)[2]
    assert 'spangate_tokens_reloads_total{outcome="failed"} 1' in metrics


def test_commands(guarded, tokens, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(tokens["query"].text + "\n")
    asked = ("graph", "--server", guarded.query)
    assert run(*asked, "--token-file", secret).returncode == 0
    environment = clean_environment() | {"SPANGATE_TOKEN": tokens["query"].text}
    assert run(*asked, environment=environment).returncode == 0
    refused = run(*asked)
    assert refused.returncode == NOT_ALLOWED
    assert "needs a token with the scope query" in refused.stderr, refused.stderr
    environment["SPANGATE_TOKEN"] = tokens["ingest"].text
    refused = run(*asked, environment=environment)
    assert refused.returncode == NOT_ALLOWED
    assert "does not have the scope query" in refused.stderr, refused.stderr


def test_tokens_are_nowhere_written(guarded, tokens):
    """What is logged, shown and stored holds no token, whatever it was used for."""
    for token in [*tokens.values(), Token("stranger", "query")]:
        ask(f"{guarded.query}/api/v1/graph", token)
        ask(f"{guarded.query}/api/v1/graph?token={'x' * 10}", token)
        try:
            export(guarded, "checkout", token)
        except grpc.RpcError:
            pass
    metrics = ask(f"{guarded.query}/metrics", tokens["query"])[2]
    said = guarded.said() + metrics
    stored = b"".join(each.read_bytes() for each in guarded.store.rglob("*") if each.is_file())
    for token in tokens.values():
        assert token.text not in said and token.text.encode() not in stored
        assert token.line.split("sha256:")[1] not in said


def test_mistakes(make_gateway, tmp_path, tokens):
    path = tmp_path / "tokens"
    for text, words in [
        ("", "holds no token"),
        (tokens["query"].text, "line 1 is not a name, scopes and a digest"),
        (f"a query {tokens['query'].text}", "line 1 of a has no digest"),
        ("\n\na nothing sha256:00", "line 3 has a scope that is none"),
    ]:
        path.write_text(text)
        gateway = make_gateway(**{"tokens.file": path})
        gateway.launch()
        gateway.ended()
        said = gateway.said()
        assert gateway.process.returncode == FAILED, said
        assert f"cannot start: tokens.file: the file {path} {words}" in said, said
        assert tokens["query"].text not in said
    typed = run("serve", "--set", f"tokens.known={tokens['query'].line}")
    assert typed.returncode == USAGE
    assert "tokens.known: is given on the command line" in typed.stderr


def test_known_without_a_file(make_gateway, tokens):
    lines = ", ".join(token.line for token in tokens.values())
    gateway = make_gateway(**{"tokens.known": lines}).start()
    assert ask(f"{gateway.query}/api/v1/graph")[0] == 401
    assert ask(f"{gateway.query}/api/v1/graph", tokens["query"])[0] == 200


def test_open_ports_are_warned_about(make_gateway, tmp_path, file):
    """A port beyond localhost without TLS or tokens: a line that says which, and what to set.

    The address stays on this machine, but it is not written as one that does.
    """

    def warnings(gateway):
        lines = [json.loads(line) for line in gateway.log.read_text().splitlines()]
        return [
            line["message"]
            for line in lines
            if line["level"] == "warning" and "is open beyond this machine" in line["message"]
        ]

    opened = {"receiver.grpc.address": "127.1:0", "query.address": "127.1:0"}
    found = warnings(make_gateway(**opened).start())
    assert [line.split()[0] for line in found] == ["receiver.grpc.address", "query.address"]
    for line in found:
        assert "without TLS" in line and "without tokens" in line and "tokens.file" in line
    pair = Authority(tmp_path / "certificates").issue("gateway")
    settings = opened | pair.settings("receiver.grpc") | {"tokens.file": file}
    found = warnings(make_gateway(**settings).start())
    assert [line.split()[0] for line in found] == ["query.address"]
    assert "query.tls.certificate_file" in found[0] and "tokens" not in found[0]
    assert warnings(make_gateway().start()) == []
