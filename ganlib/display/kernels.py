"""How a page or a notebook talks to its kernel: through socket files where they can be had, else through ports.

The ports are chosen before the kernel opens them. Where many kernels start at once, as in a class, one in a few
hundred finds its port taken in the meantime and dies, and the page that waits for it stays empty. Socket files have
names of their own. They are also nobody else's business, while any user of the machine can connect to a port.
"""

import os
import sys

#: Longest path of a socket file on Linux.
_LONGEST = 107


def transport(path):
    """The transport of Jupyter's kernels.

    Args:
        path: of a socket file, the longest there will be.

    Returns:
        `ipc` for socket files, `tcp` for ports.

    Source: unix(7); jupyter_client.connect.ConnectionFileMixin.
    """
    return "ipc" if sys.platform == "linux" and len(os.fsencode(path)) <= _LONGEST else "tcp"
