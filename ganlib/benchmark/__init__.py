"""The benchmark, `python -m ganlib.benchmark`: our training step against the steps that people would use instead.

Every contender trains in a process of its own, one at a time, taking turns step by step, so that whatever else the
machine does falls on all of them alike.
"""
