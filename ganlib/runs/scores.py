"""Tables of scores in a run folder, each stamped with the translations that it was made from."""

import hashlib

from ganlib import atomic
from ganlib.errors import InputError

#: Key of the stamp among the attributes of a table, which Parquet files keep.
_STAMP = "synthetic"
_BLOCK = 1 << 20


def write(folder, table, name):
    """Store a table in a run folder, stamped with the `synthetic.h5` beside it.

    Args:
        folder: the run folder, `pathlib.Path`.
        table: `pandas.DataFrame`.
        name: of the table; it goes to `<name>.parquet`.
    """
    stamped = table.copy(deep=False)
    stamped.attrs = {_STAMP: _stamp(folder / "synthetic.h5")}
    with atomic.replacing(folder / f"{name}.parquet") as partial:
        stamped.to_parquet(partial, index=False)


def read(folder, name):
    """Read a table of a run folder.

    Args:
        folder: the run folder, `pathlib.Path`.
        name: of the table.

    Returns:
        `pandas.DataFrame`.

    Raises:
        InputError: there is no such table, it cannot be read, or the run was translated anew since.
    """
    import pandas as pd  # slow to import, and a dashboard's first picture needs no table

    path = folder / f"{name}.parquet"
    if not path.is_file():
        raise InputError(f"{path}: not found; evaluate the run with 03_evaluate.ipynb")
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable; evaluate the run anew with 03_evaluate.ipynb") from error
    if _is_stale(path, folder / "synthetic.h5", table.attrs.get(_STAMP)):
        raise InputError(
            f"{path}: older than synthetic.h5, the run was translated anew since; evaluate it again with "
            "03_evaluate.ipynb"
        )
    table.attrs = {}
    return table


def _is_stale(path, synthetic, stamp):
    """Whether a table was made from other translations than those that are there now."""
    if not synthetic.is_file():
        return False
    if stamp is None:  # written before tables were stamped
        return path.stat().st_mtime_ns < synthetic.stat().st_mtime_ns
    status = synthetic.stat()
    if (status.st_size, status.st_mtime_ns) == (stamp["bytes"], stamp["modified_ns"]):
        return False
    return _digest(synthetic) != stamp["sha256"]  # a copied folder has other times


def _stamp(synthetic):
    if not synthetic.is_file():
        return None
    status = synthetic.stat()
    return {"bytes": status.st_size, "modified_ns": status.st_mtime_ns, "sha256": _digest(synthetic)}


def _digest(path):
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
