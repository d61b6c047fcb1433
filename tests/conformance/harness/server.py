"""A seekd process under test: started on a free port, watched, and ended with its exit code checked."""

import http.client
import json
import os
import re
import signal
import subprocess
import tempfile
import time

from .raw import Raw

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
REPORTS = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|check failed")


def binary():
    return os.path.join(os.path.abspath(os.environ.get("SEEKD_BUILD", os.path.join(ROOT, "build"))), "seekd")


class Server:
    """Server("--device", "mock", model=PATH): listening when the constructor returns; ready after wait_ready()."""

    def __init__(self, *flags, model=None, env=None, preexec=None, tls=False):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("SEEKD_") and k != "PORT"}
        command = [binary(), "serve", "--port", "0", *(["--model", model] if model else []), *flags]
        self.log_file = tempfile.NamedTemporaryFile("w+", prefix="seekd-log-")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log_file, text=True,
                                        env={**clean, **(env or {})}, preexec_fn=preexec, start_new_session=True)
        line = self.process.stdout.readline()
        found = re.search(r" on https?://\S+:(\d+)", line)
        if not found:
            self.process.wait(20)
            raise RuntimeError(f"seekd did not start (exit {self.process.returncode}): {line}{self.log()}")
        self.port, self.tls = int(found[1]), tls
        self.may_report = False  # a test that breaks an invariant on purpose expects its report in the log

    def log(self):
        with open(self.log_file.name) as f:
            return f.read()

    def raw(self, **options):
        return Raw(self.port, **options)

    def request(self, method, path, body=None, headers=None, timeout=60):
        """(status, http.client headers, body bytes); a body that is not bytes is sent as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def post(self, path, body, headers=None):
        """(status, decoded JSON)"""
        status, _, data = self.request("POST", path, body, headers)
        return status, json.loads(data)

    def get(self, path):
        """The decoded JSON of a reply that must be good."""
        status, _, data = self.request("GET", path)
        assert status == 200, data
        return json.loads(data)

    def metric(self, name):
        """The sum of a metric's samples; labels may be part of the name."""
        text = self.request("GET", "/metrics")[2].decode()
        values = [float(l.rsplit(" ", 1)[1]) for l in text.splitlines()
                  if l.startswith(name) and l[len(name):len(name) + 1] in (" ", "{")]
        assert values, f"no metric {name}"
        return sum(values)

    def wait_for(self, true, seconds=10, what="the condition"):
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, f"{what} did not come within {seconds} s"
            assert self.process.poll() is None, f"the server ended with {self.process.returncode}: {self.log()[-2000:]}"
            time.sleep(0.01)

    def wait_ready(self, seconds=120):
        self.wait_for(lambda: self.request("GET", "/ready")[0] == 200, seconds, "/ready")
        return self

    def wait_idle(self, seconds=10):
        """No sequence runs or waits."""
        self.wait_for(lambda: self.metric("seekd_requests_running") == self.metric("seekd_requests_waiting") == 0, seconds, "idleness")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def rss(self):
        """Resident bytes of the front."""
        with open(f"/proc/{self.process.pid}/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, seconds=40):
        """Ends it; the exit code must be 0 and the log without reports."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = "none: it did not end"
        log = self.log()
        self.process.stdout.close()
        self.log_file.close()
        assert code == 0, f"exit code {code}: {log[-4000:]}"
        assert self.may_report or not REPORTS.search(log), log[-8000:]
