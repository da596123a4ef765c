"""`python -m ganlib.benchmark`."""

from ganlib.benchmark.cli import main

# The contenders' processes import this module under another name.
if __name__ == "__main__":
    main()
