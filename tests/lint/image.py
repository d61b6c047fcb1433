#!/usr/bin/env python3
"""Rules of docker/Dockerfile and docker/compose.yaml: small, unprivileged, checkable, read-only. One line per breach.

    tests/lint/image.py             check them
    tests/lint/image.py --selftest  plant one breach of each rule in a copy and see that each is caught
"""

import json
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INSTRUCTIONS = {"FROM", "RUN", "CMD", "LABEL", "EXPOSE", "ENV", "COPY", "ENTRYPOINT", "USER", "WORKDIR", "ARG", "STOPSIGNAL",
                "HEALTHCHECK"}  # ADD, VOLUME, ONBUILD, SHELL and MAINTAINER have no place here
SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)\w*=(?!on\b|off\b)\S")


def instructions(text):
    """(line number, instruction, arguments), continued lines joined, comments left out."""
    found, pending, start = [], "", 0
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("#") or (not line.strip() and not pending):
            continue
        start = start if pending else number
        pending += line.rstrip().removesuffix("\\") + " "
        if line.rstrip().endswith("\\"):
            continue
        word, _, rest = pending.strip().partition(" ")
        found.append((start, word.upper(), rest.strip()))
        pending = ""
    return found


def is_exec_form(text):
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return isinstance(value, list) and all(isinstance(v, str) for v in value)


def check_line(word, rest, say):
    if word not in INSTRUCTIONS:
        say(f"{word} is not used here")
    if word == "FROM" and (rest.split()[0].endswith(":latest") or not re.search(r"[:$]|^scratch", rest)):
        say("the base image has no fixed tag")
    if word == "COPY" and re.match(r"(--\S+ )*\.(/)? ", rest):
        say("COPY of the whole context: name what is needed")
    if word == "ENV" and SECRET.search(rest):
        say("a secret in ENV stays in the image")
    if word == "RUN" and "apt-get install" in rest and "--no-install-recommends" not in rest:
        say("apt-get install without --no-install-recommends")
    if word == "RUN" and re.search(r"install_deps|apt-get update", rest) and "/var/lib/apt/lists" not in rest:
        say("package lists stay in the layer")
    if word in ("ENTRYPOINT", "CMD") and not is_exec_form(rest):
        say(f"{word} is not in its exec form: there is no shell")
    if word == "HEALTHCHECK" and not is_exec_form(rest.partition("CMD")[2].strip()):
        say("HEALTHCHECK is not in its exec form: there is no shell")


def check_stages(lines, say):
    starts = [i for i, (_, word, _) in enumerate(lines) if word == "FROM"]
    if len(starts) < 2:
        return say(1, "one stage only: compilers stay in the image")
    number, _, _ = lines[starts[-1]]
    last = {word: rest for _, word, rest in lines[starts[-1]:]}
    user = last.get("USER", "")
    if not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", user):
        say(number, "the last stage's USER is not a number other than 0")
    for word in ("HEALTHCHECK", "ENTRYPOINT", "EXPOSE", "STOPSIGNAL"):
        if word not in last:
            say(number, f"the last stage has no {word}")
    for line, word, rest in lines[starts[-1]:]:
        if word == "COPY" and not rest.startswith("--from="):
            say(line, "the last stage takes only what another one built")
        if word == "RUN":
            say(line, "the last stage runs nothing")


def check_compose(text, say):
    for rule in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", '"127.0.0.1:', ":ro\n"):
        if rule not in text:
            say(1, f"{rule.strip()} is missing")
    if "privileged: true" in text:
        say(1, "privileged")


def check(dockerfile, compose):
    breaches = []
    lines = instructions(dockerfile)
    for number, word, rest in lines:
        check_line(word, rest, lambda what, n=number: breaches.append(f"docker/Dockerfile:{n}: {what}"))
    check_stages(lines, lambda n, what: breaches.append(f"docker/Dockerfile:{n}: {what}"))
    check_compose(compose, lambda n, what: breaches.append(f"docker/compose.yaml:{n}: {what}"))
    return breaches


PLANTS = [  # which file, text, its replacement, part of the message that must appear
    (0, "USER 10001:10001", "USER seekd", "not a number"),
    (0, "USER 10001:10001", "USER 0", "not a number"),
    (0, 'CMD ["/usr/bin/seekd", "health"]', "CMD seekd health", "HEALTHCHECK is not"),
    (0, 'ENTRYPOINT ["/usr/bin/seekd"]', "ENTRYPOINT /usr/bin/seekd", "ENTRYPOINT is not"),
    (0, " && rm -rf /var/lib/apt/lists/*", "", "package lists stay"),
    (0, "COPY base base/", "COPY . .", "whole context"),
    (0, "FROM scratch", "FROM debian:latest", "no fixed tag"),
    (0, "ENV SEEKD_HOST", "ENV SEEKD_API_KEYS=abc SEEKD_HOST", "a secret"),
    (0, "STOPSIGNAL SIGTERM", "ADD x y", "ADD is not used"),
    (0, "COPY --from=build /image /", "RUN true", "runs nothing"),
    (1, "read_only: true", "read_only: false", "read_only: true is missing"),
]


def selftest(files):
    ok = not check(*files)
    for which, old, new, want in PLANTS:
        changed = list(files)
        changed[which] = files[which].replace(old, new, 1)
        if changed[which] == files[which] or not any(want in breach for breach in check(*changed)):
            print(f"image self-test: a planted breach was not caught ({want})")
            ok = False
    return ok


def main():
    files = []
    for name in ("docker/Dockerfile", "docker/compose.yaml"):
        with open(os.path.join(ROOT, name), encoding="utf-8") as f:
            files.append(f.read())
    breaches = check(*files)
    for breach in breaches:
        print(breach)
    if "--selftest" in sys.argv and not selftest(files):
        sys.exit(1)
    sys.exit(1 if breaches else 0)


if __name__ == "__main__":
    main()
