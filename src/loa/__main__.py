"""Lets `python -m loa` run the command line."""

from loa.cli.main import main

if __name__ == "__main__":
    main()
