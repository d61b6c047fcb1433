"""Every item of the checklist has a test with its number: cases name it in "items", tests in their names."""

import json
import pathlib
import re

HERE = pathlib.Path(__file__).parent
LAST = 180


def numbers():
    for case in (HERE / "cases").glob("*.json"):
        yield from json.loads(case.read_text()).get("items", [])
    for file in [*HERE.glob("test_*.py"), *(HERE.parent / "e2e").glob("test_*.py")]:
        for name in re.findall(r"^def test_((?:\d{3}_)+)", file.read_text(), re.MULTILINE):
            yield from map(int, name.split("_")[:-1])


def test_every_item_has_a_test():
    missing = set(range(1, LAST + 1)) - set(numbers())
    assert not missing, f"no test has the numbers {sorted(missing)}"
