"""Subjects side by side in threads, in their order, with a progress bar."""

import os
from concurrent.futures import ThreadPoolExecutor

from tqdm.auto import tqdm

#: Threads at most; the arithmetic of arrays runs outside Python's lock, the rest does not.
MOST_THREADS = 8


def in_order(work, subject_ids, words, progress):
    """Results of a function for each subject, in the order of the subjects.

    Args:
        work: function of a subject id; it must not change anything that is shared.
        subject_ids: list of ids.
        words: what is done, for the progress bar.
        progress: whether to show a progress bar.

    Yields:
        What `work` returns. The first error ends the work on all that were not begun.
    """
    with ThreadPoolExecutor(_threads()) as pool:
        shown = tqdm(total=len(subject_ids), desc=words, unit="subject", disable=None if progress else True)
        try:
            with shown as bar:
                for result in pool.map(work, subject_ids):
                    bar.update()
                    yield result
        finally:
            pool.shutdown(cancel_futures=True)


def _threads():
    """As many as there are processors that this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(MOST_THREADS, usable or 1)
