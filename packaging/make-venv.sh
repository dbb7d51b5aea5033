#!/bin/sh
# Make the virtual environment, or say exactly what is missing. Usage: make-venv.sh PYTHON DIRECTORY
set -eu
python=$1
venv=$2

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "Loa needs Python 3.11 or newer; '$python' is not. Name another with: make PYTHON=python3.12 …" >&2
  exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing python$version-venv …" >&2
    apt-get update -qq && apt-get install -y -qq "python$version-venv" >/dev/null
  else
    echo "The venv module is missing. Install it with: sudo apt-get install -y python$version-venv" >&2
    exit 1
  fi
fi
"$python" -m venv "$venv"
