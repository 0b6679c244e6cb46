"""Secrets that spans bring along in URLs are kept nowhere."""

from support import otlp
from support.gateway import nodes

SECRET = "hunter2"


def test_no_secret_in_store_journal_or_answers(make_gateway):
    gateway = make_gateway(
        identity__dimensions="target", peers__attributes="my.peer", redaction__query_keys="invite"
    ).start()
    url = f"https://user:{SECRET}@payments/charge?token={SECRET}&invite={SECRET}&page=7"
    for send in (otlp.send, lambda to, spans: otlp.send_json(to, otlp.request(spans))):
        root = otlp.span("shop", f"GET {url}", otlp.SERVER, target=url)
        out = otlp.span("shop", f"call {url}", otlp.CLIENT, root, my__peer=url, url__full=url)
        send(gateway, [root, out])
    graph = gateway.graph()
    assert nodes(graph)["shop"][0] == 2
    answers = [
        gateway.get(path)[1]
        for path in ("/api/v1/graph", "/api/v1/services/-/shop", "/metrics", "/api/v1/critical-path")
    ]
    assert "page=7" in answers[1], answers[1]
    gateway.stop()
    answers.append(gateway.said())
    assert not [answer for answer in answers if SECRET in answer]
    files = [path for path in gateway.store.rglob("*") if path.is_file()]
    assert len(files) >= 2
    kept = b"".join(path.read_bytes() for path in files)
    assert b"page=7" in kept and SECRET.encode() not in kept
