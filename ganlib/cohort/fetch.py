"""Downloads that can be resumed and are checked: the public archives of IXI."""

import contextlib
import hashlib
import shutil
import tarfile
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from tqdm.auto import tqdm

from ganlib.errors import InputError

IXI_URL = "http://biomedic.doc.ic.ac.uk/brain-development/downloads/IXI"
#: MD5 of the archives, as TorchIO and MONAI publish them for the same files.
IXI_MD5 = {
    "T1": "34901a0593b41dd19c1a1f746eac2d58",
    "T2": "e3140d78730ecdd32ba92da48c0a9aaa",
    "PD": "88ecd9d1fa33cb4a2278183b42ffd749",
}
_CHUNK_BYTES = 1 << 20
_ATTEMPTS = 5
_TIMEOUT_S = 60


def fetch_ixi(folder, contrasts=("T1", "T2"), *, url=IXI_URL, md5=None, keep=False, progress=True):
    """Download and unpack IXI's archives, for `IxiSource`. About 4 to 5 GB per contrast; CC BY-SA 3.0, cite IXI.

    What is there already is not fetched again; what was broken off goes on.

    Args:
        folder: where `IXI-T1/` and so on go.
        contrasts: some of `T1`, `T2` and `PD`.
        url: folder of the archives on the server.
        md5: dictionary from contrast to checksum; None for those of `IXI_MD5`.
        keep: keep the archives.
        progress: show a progress bar.

    Returns:
        List of the folders, in the order of the contrasts.

    Raises:
        InputError: a contrast is unknown, the server cannot be reached, an archive is not what it should be, or the
            disk is full.

    Source: https://brain-development.org/ixi-dataset/
    """
    for contrast in contrasts:
        if contrast not in IXI_MD5:
            raise InputError(f"IXI has no archive of {contrast!r} to fetch; it has {', '.join(IXI_MD5)}")
    folders = []
    for contrast in contrasts:
        name = f"IXI-{contrast}"
        target = Path(folder) / name
        if not target.is_dir():
            archive = fetch(f"{url}/{name}.tar", target.with_suffix(".tar"), md5=(md5 or IXI_MD5)[contrast],
                            progress=progress)  # fmt: skip
            _unpack(archive, target)
            if not keep:
                archive.unlink()
        folders.append(target)
    return folders


def fetch(url, path, *, md5, progress=True):
    """Download one file. A part that is there (`.<name>.part`) is gone on with; the file appears when it is checked.

    Args:
        url: address, http or https.
        path: the file to make; if it is there with this checksum, nothing is done.
        md5: checksum of the file, 32 hexadecimal digits.
        progress: show a progress bar.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        InputError: the server cannot be reached or refuses, the checksum is another, or the disk is full.
    """
    path = Path(path)
    if urlsplit(url).scheme not in ("http", "https"):
        raise InputError(f"{url}: not an http or https address")
    part = path.with_name(f".{path.name}.part")
    with _explained(path):
        if path.is_file() and _md5(path) == md5:
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        _download(url, part, progress)
        found = _md5(part)
        if found != md5:
            part.unlink()
            raise InputError(f"{url}: its MD5 is {found}, not {md5}: damaged, or changed on the server; fetch it again")
        part.replace(path)
    return path


def _download(url, part, progress):
    """Append to the part until the server has no more, with some patience for broken connections."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _append(url, part, progress)
            return
        except urllib.error.HTTPError as error:
            if error.code < 500 or attempt == _ATTEMPTS:
                raise InputError(
                    f"{url}: the server answers {error.code} ({error.reason}); check the address"
                ) from error
        except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
            if attempt == _ATTEMPTS:
                reason = getattr(error, "reason", None) or error
                raise InputError(
                    f"{url}: cannot be downloaded ({reason}); what is there is kept, start again to go on"
                ) from error
        time.sleep(min(2**attempt / 10, 5))


def _append(url, part, progress):
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # nothing beyond what is there; the checksum will tell
            return
        raise
    with response:
        resumed = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        start = have if resumed else 0
        rest = response.headers.get("Content-Length")
        total = start + int(rest) if rest and rest.isdecimal() else None
        with part.open("ab" if resumed else "wb") as file, tqdm(
            desc=part.name[1:-5], total=total, initial=start, unit="B", unit_scale=True, disable=not progress
        ) as bar:  # fmt: skip
            for chunk in iter(lambda: response.read(_CHUNK_BYTES), b""):
                file.write(chunk)
                bar.update(len(chunk))
    if total is not None and part.stat().st_size < total:
        raise ConnectionError(f"broken off after {part.stat().st_size} of {total} bytes")


def _unpack(archive, target):
    """Unpack beside the target and rename, so that a folder that is there is whole."""
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with _explained(target), tarfile.open(archive) as tar:
            tar.extractall(partial, filter="data")
            partial.replace(target)
    except tarfile.TarError as error:  # among them paths and links that lead out of the folder
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{archive}: cannot be unpacked ({reason}); fetch it again") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextlib.contextmanager
def _explained(path):
    """A full disk and the like in one line."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror}); free space or choose another folder"
        ) from error


def _md5(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
