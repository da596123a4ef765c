"""A page without a browser: the same messages as a Voila page sends, over the same connection."""

import itertools
import json
import re
import threading
import time
import uuid

import requests
import websocket

#: Voila 0.5 can speak this one only: asked for the older one, it loops for ever on the first binary message.
_PROTOCOL = "v1.kernel.websocket.jupyter.org"


class RawClient:
    """Opens a dashboard as a browser does, which starts a kernel, and talks to its first anywidget.

    Args:
        address: of the page, such as `http://127.0.0.1:8866/`.
        timeout_s: longest wait for a reply.
    """

    def __init__(self, address, timeout_s=120):
        self.seen = []
        self._timeout_s = timeout_s
        self._session = uuid.uuid4().hex
        self._number = 0
        html = _page(address, timeout_s)
        found = json.loads(re.search(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', html, re.DOTALL).group(1))
        self._model = re.search(r'"model_id"\s*:\s*"([0-9a-f]+)"', html).group(1)
        base = address.replace("http://", "ws://").split("?")[0].rstrip("/")
        kernel = found["kernelId"]
        self._socket = websocket.create_connection(
            f"{base}/api/kernels/{kernel}/channels?session_id={self._session}", timeout=timeout_s,
            subprotocols=[_PROTOCOL],
        )  # fmt: skip
        self.response_headers = {name.title(): value for name, value in self._socket.headers.items()}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Drop the connection, as a closed tab does."""
        self._socket.close()

    def send(self, channel, kind, content):
        """Send a message of the Jupyter protocol; returns its id."""
        message_id = uuid.uuid4().hex
        header = {"msg_id": message_id, "msg_type": kind, "username": "", "session": self._session, "version": "5.4",
                  "date": "2026-01-01T00:00:00Z"}  # fmt: skip
        parts = [channel.encode(), *(json.dumps(part).encode() for part in (header, {}, {}, content))]
        self._socket.send_binary(encoded(parts))
        return message_id

    def request(self, content):
        """Send a request to the page's kernel side; returns its reply, with `buffers`."""
        self._number += 1
        key = str(self._number)
        data = {"method": "custom", "content": {**content, "key": key}}
        self.send("shell", "comm_msg", {"comm_id": self._model, "data": data})
        deadline = time.monotonic() + self._timeout_s
        while True:
            message, buffers = self._receive(deadline)
            body = message.get("content", {}).get("data", {})
            if message["header"]["msg_type"] == "comm_msg" and body.get("content", {}).get("key") == key:
                return {**body["content"], "buffers": buffers}

    def _receive(self, deadline):
        # Control frames too: the server's pings come for ever, and would put off the socket's own time-out each time.
        while time.monotonic() < deadline:
            kind, frame = self._socket.recv_data(control_frame=True)
            if kind == websocket.ABNF.OPCODE_CLOSE:
                raise ConnectionError(f"the server closed the connection: {frame!r}")
            if kind in (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY):
                message, buffers = decoded(frame.decode() if kind == websocket.ABNF.OPCODE_TEXT else frame)
                self.seen.append(message)
                return message, buffers
        seen = [message["header"]["msg_type"] for message in self.seen[-9:]]
        raise TimeoutError(f"no reply within {self._timeout_s} s; the last messages: {seen}")


def _page(address, timeout_s):
    """The whole page. While it waits for its kernel Voila sends signs of life, which put off the socket's time-out."""
    deadline = time.monotonic() + timeout_s
    parts = []
    with requests.get(address, timeout=timeout_s, stream=True) as response:
        for part in response.iter_content(None):
            parts.append(part)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{address}: no whole page within {timeout_s} s, perhaps its kernel died")
    return b"".join(parts).decode()


def encoded(parts):
    """Parts of a message as one frame: how many offsets there are, the offsets (64 bits, little-endian), the parts."""
    ends = itertools.accumulate(map(len, parts), initial=8 * (len(parts) + 2))
    return b"".join([(len(parts) + 1).to_bytes(8, "little"), *(end.to_bytes(8, "little") for end in ends), *parts])


def decoded(frame):
    """Message and binary parts of a frame in Jupyter's binary protocol; of a text frame, its JSON.

    Source: jupyter-server's documentation, "WebSocket kernel wire protocols", v1.kernel.websocket.jupyter.org.
    """
    if isinstance(frame, str):
        return json.loads(frame), []
    count = int.from_bytes(frame[:8], "little")
    offsets = [int.from_bytes(frame[8 * place : 8 * place + 8], "little") for place in range(1, count + 1)]
    parts = [frame[start:end] for start, end in itertools.pairwise(offsets)]
    header, parent, metadata, content = (json.loads(part) for part in parts[1:5])
    message = {"header": header, "parent_header": parent, "metadata": metadata, "content": content}
    return message, parts[5:]


def at_once(work, count):
    """Run `work(number)` in so many threads; returns their results, or raises the first error."""
    results, errors = [None] * count, []

    def run(number):
        try:
            results[number] = work(number)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results
