"""A gateway that is killed again and again, and clients that remember what it acknowledged."""

import json
import random
import secrets
import subprocess
import threading
import time

from support import frames, otlp
from support.gateway import BINARY, clean_environment

SENDERS = 4
OPERATIONS_MAX = 900  # of one service: below `limits.operations_per_service`


class Batch:
    """One request: spans of one operation of its own, each in a trace of its own."""

    def __init__(self, service, number, count):
        self.service = service
        self.operation = f"batch-{number:04}"
        self.spans = [
            otlp.span(service, self.operation, otlp.SERVER, milliseconds=5) for _ in range(count)
        ]
        self.body = otlp.to_protobuf(otlp.request(self.spans)).SerializeToString()
        self.outcome = "not sent"  # then: unknown, acknowledged, refused

    @property
    def ids(self):
        return {(span["trace"], span["id"]) for span in self.spans}


class Sender(threading.Thread):
    """Sends batch after batch, over gRPC or HTTP, until the gateway is gone."""

    def __init__(self, gateway, service, grpc, seed):
        super().__init__(daemon=True)
        self.gateway, self.service, self.grpc = gateway, service, grpc
        self.random = random.Random(seed)
        self.batches = []

    def run(self):
        connection = None
        while len(self.batches) < OPERATIONS_MAX:
            batch = Batch(self.service, len(self.batches), self.random.choice([1, 5, 20]))
            self.batches.append(batch)
            batch.outcome = "unknown"
            try:
                if self.grpc and connection is None:
                    connection = frames.Connection(self.gateway.grpc_port)
                batch.outcome = self.send(batch, connection)
            except Exception:  # whatever a dying process leaves of an answer, it is none
                return
            if batch.outcome == "unknown":
                return

    def send(self, batch, connection):
        if connection:
            answer = connection.call(frames.message(batch.body))
            if answer.grpc_status is None:
                return "unknown"
            return "refused" if answer.grpc_status else "acknowledged"
        url = f"{self.gateway.http}/v1/traces"
        status, _, _ = otlp.post(url, batch.body, "application/x-protobuf")
        return "acknowledged" if status == 200 else "refused"


class CrashRun:
    """Rounds of traffic and kills on one store."""

    def __init__(self, gateway, seed, is_sealed):
        self.gateway = gateway
        self.random = random.Random(seed)
        self.is_sealed = is_sealed
        self.run = secrets.token_hex(3)
        self.batches = []
        self.kills_at_start = 0

    def round(self, number):
        """Traffic, a kill in the middle of it, a start; what was acknowledged must be there."""
        self.gateway.start()
        senders = [
            Sender(self.gateway, f"{self.run}-{number}-{index}", index % 2 == 0, self.random.random())
            for index in range(SENDERS)
        ]
        for sender in senders:
            sender.start()
        time.sleep(self.random.uniform(0.02, 1.5))
        self.gateway.kill()
        for sender in senders:
            sender.join(60)
            assert not sender.is_alive()
        sent = [batch for sender in senders for batch in sender.batches]
        self.batches += sent
        if not self.is_sealed:
            self.check_journal()
        while self.random.random() < 0.3:
            self.kill_while_starting()
        self.gateway.start()
        self.retry([batch for batch in sent if batch.outcome == "unknown"])
        self.check_counts(sent)
        self.gateway.kill()

    def kill_while_starting(self):
        self.gateway.launch()
        time.sleep(self.random.uniform(0, 0.3))
        self.gateway.kill()
        self.kills_at_start += 1

    def retry(self, batches):
        """As exporters do: what got no answer is sent again, half of it here."""
        for batch in batches:
            if self.random.random() < 0.5:
                otlp.send(self.gateway, batch.spans)
                batch.outcome = "acknowledged"

    def check_journal(self):
        """Every acknowledged span is in the journal, and none that nobody sent."""
        listed = journal(self.gateway.store)
        for batch in self.batches:
            if batch.outcome == "acknowledged":
                assert batch.ids <= listed, f"lost from {batch.service} {batch.operation}"
            elif batch.outcome == "unknown":
                found = batch.ids & listed
                assert found in (set(), batch.ids), f"half of {batch.service} {batch.operation}"
        assert listed <= set().union(*(batch.ids for batch in self.batches))

    def check_counts(self, batches):
        """Each operation counts what its batch held: all or nothing where no answer came."""
        self.gateway.flush()
        counted = {}
        for service in {batch.service for batch in batches}:
            counted |= self.counts(service)
        for batch in batches:
            requests = counted.pop((batch.service, batch.operation), 0)
            allowed = {
                "acknowledged": {len(batch.spans)},
                "unknown": {0, len(batch.spans)},
                "refused": {0},
            }[batch.outcome]
            assert requests in allowed, (batch.service, batch.operation, batch.outcome, requests)
        assert not counted, f"never sent: {counted}"

    def counts(self, service):
        status, text = self.gateway.get(f"/api/v1/services/-/{service}")
        if status == 404:
            return {}
        assert status == 200, (status, text)
        operations = json.loads(text)["operations"]
        return {(service, each["operation"]): each["requests"] for each in operations}

    def check_everything(self):
        """After the last round: no later kill has changed what earlier rounds left."""
        self.gateway.start()
        self.check_counts(self.batches)
        self.gateway.stop()


def journal(store):
    """The (trace id, span id) of every span in the journal."""
    listing = subprocess.run(
        [BINARY, "journal", "dump", "--format", "json", "--path", store],
        capture_output=True,
        text=True,
        env=clean_environment(),
        timeout=60,
    )
    assert listing.returncode == 0, listing.stderr
    lines = map(json.loads, listing.stdout.splitlines())
    return {(line["trace_id"], line["span_id"]) for line in lines if "span_id" in line}
