#!/bin/sh
# A virtual environment for the Python side of the tests, made once per requirements file. Without a package index it
# fails and says so; tests/run.py can then still run the other parts, and reports the Python ones as skipped.
set -eu
venv=${1:?usage: setup_venv.sh FOLDER}
here=$(dirname "$0")
stamp="$venv/requirements.stamp"
if [ -f "$stamp" ] && cmp -s "$here/requirements.txt" "$stamp"; then
    exit 0
fi
echo "setting up the Python environment of the tests in $venv"
rm -rf "$venv"
python3 -m venv "$venv"
if "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"; then
    cp "$here/requirements.txt" "$stamp"
else
    echo "the Python packages of the tests could not be installed: no package index can be reached" >&2
    exit 1
fi
