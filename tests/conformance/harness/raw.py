"""A connection that sends bytes as they are and reads replies by the letter of RFC 9112."""

import json
import socket
import time


class Reply:
    def __init__(self, status, version, fields, body, chunked):
        self.status, self.version, self.fields, self.body, self.chunked = status, version, fields, body, chunked

    def get(self, name):
        """A field's value; None when absent. Two fields of one name are a fault of the server."""
        values = [v for n, v in self.fields if n.lower() == name.lower()]
        assert len(values) < 2, f"{name} is there {len(values)} times"
        return values[0] if values else None

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["error"]["code"]


class Raw:
    def __init__(self, port, timeout=20, host="127.0.0.1", wrap=None, receive_buffer=None):
        s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if receive_buffer:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        s.settimeout(timeout)
        s.connect((host, port))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = wrap(s) if wrap else s
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Leaves with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def try_send(self, data):
        """Sends as much as the server takes before it closes."""
        try:
            self.send(data)
        except OSError:
            pass

    def request(self, method, target, body=b"", fields=(), version="1.1", host="localhost"):
        head = f"{method} {target} HTTP/{version}\r\n"
        if host is not None:
            head += f"Host: {host}\r\n"
        head += "".join(f"{n}: {v}\r\n" for n, v in fields)
        if body:
            head += f"Content-Length: {len(body)}\r\n"
        self.send(head.encode("latin-1") + b"\r\n" + body)

    def _more(self):
        part = self.socket.recv(65536)
        self.buffer += part
        return bool(part)

    def _line(self):
        while b"\r\n" not in self.buffer:
            assert self._more(), f"the connection ended within a line: {self.buffer[:200]!r}"
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode("latin-1")

    def _exactly(self, n):
        while len(self.buffer) < n:
            assert self._more(), f"the connection ended after {len(self.buffer)} of {n} bytes"
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def head(self):
        """(status, version, fields)"""
        version, status, _ = self._line().split(" ", 2)
        assert version in ("HTTP/1.0", "HTTP/1.1")
        fields = []
        while line := self._line():
            name, value = line.split(":", 1)
            fields.append((name, value.strip()))
        return int(status), version, fields

    def chunk(self):
        """One chunk's data; empty at the end of the body."""
        n = int(self._line(), 16)
        data = self._exactly(n) if n else b""
        assert self._line() == ""
        return data

    def reply(self, method="GET", interim=False):
        """The next whole reply; 1xx ones are skipped unless asked for."""
        while True:
            status, version, fields = self.head()
            if status >= 200 or interim:
                break
        names = {n.lower(): v for n, v in fields}
        chunked = names.get("transfer-encoding", "").lower() == "chunked"
        if method == "HEAD" or status < 200 or status in (204, 304):
            body = b""
        elif chunked:
            body = b"".join(iter(self.chunk, b""))
        elif "content-length" in names:
            body = self._exactly(int(names["content-length"]))
        else:
            while self._more():
                pass
            body, self.buffer = self.buffer, b""
        return Reply(status, version, fields, body, chunked)

    def is_silent(self, seconds):
        """Nothing arrives for that long, and the connection stays open."""
        self.socket.settimeout(seconds)
        try:
            self.buffer += self.socket.recv(65536)
            return False
        except TimeoutError:
            return not self.buffer
        finally:
            self.socket.settimeout(20)

    def ends(self, seconds=20):
        """The server closes within that time; what still comes is dropped."""
        deadline = time.monotonic() + seconds
        try:
            while (left := deadline - time.monotonic()) > 0:
                self.socket.settimeout(left)
                if not self.socket.recv(65536):
                    return True
        except TimeoutError:
            return False
        except OSError:
            return True
        return False
