#!/usr/bin/env python3
"""Generated pages against the tables they come from: the pages of PAGES below.

    generated.py [--build DIR]           exit 1 when a page is stale
    generated.py [--build DIR] --write   write them
"""

import argparse
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGES = {
    "docs/options.md": ["help", "--options-markdown"],
    "config/seekd.conf": ["help", "--options-file"],
    "docs/api-routes.md": ["help", "--routes-markdown"],
    "docs/api-fields.md": ["help", "--fields-markdown"],
    "docs/limits.md": ["help", "--limits-markdown"],
    "docs/metrics.md": ["help", "--metrics-markdown"],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    stale = []
    for page, command in PAGES.items():
        out = subprocess.run([os.path.join(ROOT, args.build, "seekd"), *command], stdout=subprocess.PIPE, check=True).stdout
        path = os.path.join(ROOT, page)
        if args.write:
            with open(path, "wb") as f:
                f.write(out)
            continue
        try:
            with open(path, "rb") as f:
                same = f.read() == out
        except FileNotFoundError:
            same = False
        if not same:
            stale.append(page)
    for page in stale:
        print(f"{page} is stale: run `make docs`")
    sys.exit(1 if stale else 0)


if __name__ == "__main__":
    main()
