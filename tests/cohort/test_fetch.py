"""Downloads against a server on this machine that breaks off, forgets, and lies."""

import hashlib
import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ganlib.cohort import fetch as module
from ganlib.cohort.fetch import fetch, fetch_ixi
from ganlib.cohort.sources import IxiSource
from ganlib.errors import InputError

PAYLOAD = bytes(range(256)) * 4000
MD5 = hashlib.md5(PAYLOAD).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `files`; notes what was asked for; breaks off after `limit` bytes; may not know ranges."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.asked, self.limit, self.ranges, self.status = {"/a.bin": PAYLOAD}, [], None, True, None
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, asked = self.server, self.headers.get("Range")
        server.asked.append((self.path, asked))
        if server.status or self.path not in server.files:
            self.send_error(server.status or 404)
            return
        payload = server.files[self.path]
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and server.ranges else 0
        if start and start >= len(payload):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(payload) - 1}/{len(payload)}")
        self.send_header("Content-Length", str(len(payload) - start))
        self.end_headers()
        end = len(payload) if server.limit is None else start + server.limit
        self.wfile.write(payload[start:end])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()


def got(server, path, md5=MD5, name="/a.bin"):
    return fetch(server.url + name, path, md5=md5, progress=False)


def refused(server, path, words, **options):
    with pytest.raises(InputError, match=words) as caught:
        got(server, path, **options)
    assert "\n" not in str(caught.value)
    assert not path.exists()


def test_a_file_is_fetched_once(server, tmp_path):
    path = tmp_path / "deep" / "a.bin"
    assert got(server, path) == path
    assert path.read_bytes() == PAYLOAD
    got(server, path)
    assert server.asked == [("/a.bin", None)]
    path.write_bytes(b"something else")
    got(server, path)
    assert path.read_bytes() == PAYLOAD


def test_a_broken_download_goes_on_where_it_was(server, tmp_path):
    server.limit = 300_000
    got(server, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == PAYLOAD
    assert [asked for _, asked in server.asked] == [None, "bytes=300000-", "bytes=600000-", "bytes=900000-"]


def test_started_again_it_goes_on_with_the_part_that_is_there(server, tmp_path):
    server.limit = 100_000
    refused(server, tmp_path / "a.bin", "cannot be downloaded .*what is there is kept, start again to go on")
    assert (tmp_path / ".a.bin.part").stat().st_size == 500_000
    server.limit = None
    got(server, tmp_path / "a.bin")
    assert server.asked[-1] == ("/a.bin", "bytes=500000-")
    assert (tmp_path / "a.bin").read_bytes() == PAYLOAD
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def test_a_server_that_knows_no_ranges_starts_over(server, tmp_path):
    (tmp_path / ".a.bin.part").write_bytes(b"x" * 1000)
    server.ranges = False
    got(server, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == PAYLOAD


def test_a_part_that_is_whole_needs_nothing_more(server, tmp_path):
    (tmp_path / ".a.bin.part").write_bytes(PAYLOAD)
    got(server, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == PAYLOAD


def test_a_wrong_checksum_leaves_nothing(server, tmp_path):
    refused(server, tmp_path / "a.bin", f"its MD5 is {MD5}, not 0{'0' * 31}", md5="0" * 32)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_fetched_is_said_in_one_line(server, tmp_path):
    refused(server, tmp_path / "a.bin", "the server answers 404", name="/none")
    server.status = 503
    refused(server, tmp_path / "a.bin", "the server answers 503")
    assert len(server.asked) == 1 + 5
    server.shutdown()
    server.server_close()
    refused(server, tmp_path / "a.bin", "cannot be downloaded")
    with pytest.raises(InputError, match="not an http or https address"):
        fetch("file:///etc/passwd", tmp_path / "a.bin", md5=MD5)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file/a\.bin: cannot be written"):
        got(server, tmp_path / "file" / "a.bin")


def archive(*names, link=None):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = 3
            tar.addfile(entry, io.BytesIO(b"abc"))
        if link:
            entry = tarfile.TarInfo("link.nii.gz")
            entry.type, entry.linkname = tarfile.SYMTYPE, link
            tar.addfile(entry)
    return raw.getvalue()


def serve(server, **archives):
    server.files = {f"/IXI-{name}.tar": raw for name, raw in archives.items()}
    return {"url": server.url, "md5": {name: hashlib.md5(raw).hexdigest() for name, raw in archives.items()}}


def test_ixi_is_fetched_unpacked_and_listed(server, tmp_path):
    scans = [f"IXI{number:03d}-HH-{number:04d}" for number in (1, 2)]
    where = serve(server, **{image: archive(*(f"{scan}-{image}.nii.gz" for scan in scans)) for image in ("T1", "T2")})
    folders = fetch_ixi(tmp_path, **where, progress=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["IXI-T1", "IXI-T2"]
    assert folders == [tmp_path / "IXI-T1", tmp_path / "IXI-T2"]
    assert [subject.id for subject in IxiSource(tmp_path).find().subjects] == scans
    asked = len(server.asked)
    fetch_ixi(tmp_path, **where, progress=False)
    assert len(server.asked) == asked


@pytest.mark.parametrize("hostile", [archive("../out.nii.gz"), archive(link="/etc/passwd"), b"no archive" * 99])
def test_a_hostile_archive_writes_nothing(server, tmp_path, hostile):
    with pytest.raises(InputError, match=r"IXI-T1\.tar: cannot be unpacked"):
        fetch_ixi(tmp_path / "ixi", ["T1"], **serve(server, T1=hostile), progress=False)
    assert [path.name for path in tmp_path.rglob("*")] == ["ixi", "IXI-T1.tar"]


def test_contrasts_that_ixi_has_not(tmp_path):
    with pytest.raises(InputError, match=r"no archive of 'FLAIR'.*T1, T2, PD"):
        fetch_ixi(tmp_path, ["FLAIR"])
