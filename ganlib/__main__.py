"""`python -m ganlib`."""

from ganlib.cli import main

main()
