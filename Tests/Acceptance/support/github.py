"""A stand-in for GitHub: gives Apps tokens, and takes reviews of deployments."""

import base64
import json
import subprocess
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

APP = "12345"
INSTALLATION = 44
TOKEN = "ghs_of_the_installation"


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class GitHub:
    """Takes what its App says, unless `failures` are left: then it is out of order."""

    def __init__(self, folder):
        self.key = folder / "app.pem"
        self.public = folder / "app.pub"
        self.folder = folder
        self.failures = 0
        self.lock = Lock()
        self.reviews = []  # (path, body) of those taken
        self.refusals = []  # what was wrong with a request
        openssl("genrsa", "-traditional", "-out", self.key, "2048")
        openssl("rsa", "-in", self.key, "-pubout", "-out", self.public)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(handler):
                body = handler.rfile.read(int(handler.headers["content-length"]))
                with self.lock:
                    status, answer = self.answer(handler.path, handler.headers, json.loads(body))
                handler.send_response(status)
                text = json.dumps(answer).encode() if answer else b""
                handler.send_header("content-length", str(len(text)))
                handler.end_headers()
                handler.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def callback(self, run):
        return f"{self.url}/repos/shop/checkout/actions/runs/{run}/deployment_protection_rule"

    def answer(self, path, headers, body):
        shown = headers["authorization"].removeprefix("Bearer ")
        if path == f"/app/installations/{INSTALLATION}/access_tokens":
            problem = self.wrong(shown)
            if problem:
                self.refusals.append(problem)
                return 401, {"message": problem}
            return 201, {"token": TOKEN}
        if self.failures > 0:
            self.failures -= 1
            return 502, None
        if shown != TOKEN or not path.endswith("/deployment_protection_rule"):
            self.refusals.append((path, shown))
            return 404, None
        self.reviews.append((path, body))
        return 204, None

    def wrong(self, proof):
        """What is wrong with what an App shows; nothing where all is well."""
        head, claims, signature = proof.split(".")
        if json.loads(decoded(head))["alg"] != "RS256":
            return "another algorithm"
        claims_read = json.loads(decoded(claims))
        now = time.time()
        if claims_read["iss"] != APP or not claims_read["iat"] <= now < claims_read["exp"]:
            return f"claims {claims_read}"
        if claims_read["exp"] > now + 600:
            return "good for too long"
        (self.folder / "signature").write_bytes(decoded(signature))
        (self.folder / "signed").write_text(f"{head}.{claims}")
        verified = openssl(
            *("dgst", "-sha256", "-verify", self.public, "-signature"),
            *(self.folder / "signature", self.folder / "signed"),
            check=False,
        )
        return "" if verified.returncode == 0 else "signed by another key"


def openssl(*arguments, check=True):
    return subprocess.run(["openssl", *arguments], check=check, capture_output=True)
