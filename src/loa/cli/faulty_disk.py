"""`python -m loa.cli.faulty_disk FOLDER …`: the command line on a disk whose faults are switched by files in FOLDER.

A program of `loa certify`, and no way to run Loa.
"""

import sys
from pathlib import Path

from loa.certify.disk import install
from loa.cli.main import main

if __name__ == "__main__":
    install(Path(sys.argv.pop(1)))
    main()
