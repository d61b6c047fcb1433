#!/usr/bin/env python3
"""The mechanical rules of the code: layering, names, limits, banned calls. Prints one line per breach.

    tests/lint/lint.py            check the tree
    tests/lint/lint.py --selftest plant one breach of each rule in a copy and see that each is caught

Rules are data below; CONTRIBUTING.md says what they are for.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDERS = ("base", "config", "kernels", "text", "engine", "server")

# Who may include whom (quoted includes). server reaches one engine header; its commands two facades more.
MAY_INCLUDE = {
    "base": {"base"},
    "config": {"config", "base"},
    "kernels": {"kernels", "base"},
    "text": {"text", "base"},
    "engine": {"engine", "kernels", "text", "config", "base"},
    "server": {"server", "text", "config", "base"},
}
SERVER_ENGINE_HEADERS = {"engine/protocol.h"}
COMMAND_ENGINE_HEADERS = SERVER_ENGINE_HEADERS | {"engine/inspect.h", "engine/bench.h", "engine/engine.h"}

# Library headers a folder may use besides libc, POSIX and Linux ones.
LIBRARIES = {
    "microhttpd.h": {"server"}, "uv.h": {"server"}, "jansson.h": {"config", "text", "engine", "server"},
    "sodium.h": {"engine", "server"}, "pcre2.h": {"text"}, "utf8proc.h": {"text"}, "ini.h": {"config"},
    "gnutls/gnutls.h": {"server"}, "editline/readline.h": {"server"}, "histedit.h": {"server"},
}
# Engine layers that link with libc alone (the GPU check program is built from them).
LIBC_ONLY = re.compile(r"^engine/(scheduler|kv_pages|prefix_index|sequence|batch|sampler|model/|device/)")

BANNED = {
    r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atof|rand|srand|alloca|system|popen|tmpnam|mktemp)\s*\(":
        "banned function",
    r"#include\s*<assert\.h>": "assert.h is banned: check() stays on in release builds",
    r"\btypedef\s+struct\b": "structs are plain: no typedef",
    r"\b(malloc|calloc|realloc|free|strdup)\s*\(": "memory goes through base/mem.h",
    r"\b(setlocale|newlocale|uselocale)\s*\(": "numbers and case must not depend on the locale",
    r"\bgetenv\s*\(": "the environment is read in config/ alone",
    r"\b(TODO|FIXME|XXX|HACK)\b": "unfinished work does not enter the tree",
}
ALLOWED = {  # rule pattern start -> files that may break it
    r"\b(malloc": {"base/mem.c"},
    r"\btypedef": {"kernels/cpu/simd.h"},  # vectors wider than the machine's: types like __m256
    r"\bgetenv": set(),
    r"\b(setlocale": {"server/line_editor.c"},  # which bytes of a terminal are one character
}
# Decisions must be replayable: no clock, randomness or thread in these files.
PURE = re.compile(r"^engine/(scheduler|kv_pages|prefix_index|sequence|sampler|batch)\.c$")
PURE_BANNED = re.compile(r"\b(time|clock_gettime|gettimeofday|rand|random|pthread_\w+|getrandom)\s*\(")

MAX_COLUMNS, MAX_LINES = 140, 900

# External symbols of foo.c start with foo_; a file that implements part of a module uses the module's name.
PREFIX_OF = {
    "base/emit_json.c": "emit_", "base/status.c": "status_|error_|check_", "server/main.c": "main$", "server/commands.c": "commands_|cmd_",
    "server/http_conn.c": "http_|recv$|gnutls_record_recv$",  # takes the place of the libraries' own
    "kernels/dtype.c": "dtype_|f16_|bf16_|e4m3_", "kernels/dequant.c": "dtype_to_f32$",
    "kernels/cpu/matmul.c": "matmul_|embed_run$", "kernels/cpu/ops_cpu.c": "ops_cpu|attention_workspace_bytes$",
    "kernels/cpu/pack.c": "matrix_",
    "engine/model/layers.c": "layer_", "engine/model/llama.c": "family_", "engine/model/qwen.c": "family_",
    "engine/model/mixtral.c": "family_", "engine/model/deepseek.c": "family_",
}
# Headers included several times on purpose, once for each instruction set or element type: no guard.
INCLUDED_OFTEN = re.compile(r"^kernels/cpu/\w+_(body|zmm)\.h$")


def rel(path):
    return os.path.relpath(path, TREE)


def sources(endings=(".c", ".h")):
    for folder in FOLDERS + ("tests",):
        for base, dirs, files in os.walk(os.path.join(TREE, folder)):
            dirs[:] = [d for d in dirs if d not in ("seeds", "vectors", "__pycache__")]
            for f in sorted(files):
                if f.endswith(endings):
                    yield os.path.join(base, f)


def strip_comments(text):
    """Comments and string literals become spaces, newlines stay."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m.group(0))
    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, text, flags=re.S)


def check_includes(path, text, say):
    name = rel(path)
    folder = name.split("/")[0]
    for number, line in enumerate(text.split("\n"), 1):
        m = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not m:
            continue
        kind, header = m.groups()
        if kind == '"':
            if folder == "tests":
                continue
            target = header.split("/")[0]
            if "/" not in header:
                say(name, number, f'include "{header}" is not written from the root')
            elif folder == "server" and target == "engine":
                command = re.match(r"server/(cmd_\w+|commands|main)\.c$", name)
                if header not in (COMMAND_ENGINE_HEADERS if command else SERVER_ENGINE_HEADERS):
                    say(name, number, f'server may not include "{header}"')
            elif target not in MAY_INCLUDE[folder] and target not in ("generated",):
                say(name, number, f'{folder} may not include "{header}"')
        elif header in LIBRARIES:
            if folder != "tests" and folder not in LIBRARIES[header]:
                say(name, number, f"{folder} may not use <{header}>")
            if LIBC_ONLY.match(name):
                say(name, number, f"this layer links with libc alone: <{header}>")


def check_text(path, text, say):
    name = rel(path)
    code = strip_comments(text)
    product = not name.startswith("tests/")
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_COLUMNS:
            say(name, number, f"{len(line)} columns, at most {MAX_COLUMNS}")
        if "\t" in line:
            say(name, number, "a tab")
        if line != line.rstrip():
            say(name, number, "white space at the end of the line")
    lines = text.count("\n")
    if product and lines > MAX_LINES:
        say(name, lines, f"{lines} lines, at most {MAX_LINES}: split where a name appears")
    if not text.endswith("\n"):
        say(name, lines, "no newline at the end")
    for pattern, why in BANNED.items():
        if not product and pattern.startswith((r"\b(malloc", r"\bgetenv")):
            continue
        if any(pattern.startswith(k) and name in v for k, v in ALLOWED.items()) or (
                pattern.startswith(r"\bgetenv") and name.startswith("config/")):
            continue
        where = text if "TODO" in pattern else code
        for m in re.finditer(pattern, where):
            say(name, where.count("\n", 0, m.start()) + 1, f"{why}: {m.group(0).strip()}")
    if PURE.match(name):
        for m in PURE_BANNED.finditer(code):
            say(name, code.count("\n", 0, m.start()) + 1, f"not replayable: {m.group(0)}")
    if product and name.endswith(".c") and not text.startswith("/*"):
        say(name, 1, "no opening comment that says what the file owns")
    if name.endswith(".h") and not INCLUDED_OFTEN.match(name):
        guard = re.sub(r"[^A-Za-z0-9]", "_", name).upper()
        if f"#ifndef {guard}\n#define {guard}\n" not in text:
            say(name, 1, f"include guard is not {guard}")


def check_headers(say, cc):
    """Each header compiles alone as C11; those in kernels/ as C++17 too (clang brings its C++ compiler along, gcc does not)."""
    cxx = [shutil.which("clang")] if shutil.which("clang") else cc.split()
    for path in sources((".h",)):
        name = rel(path)
        if name.startswith("tests/") or re.search(r"_(body|avx2|avx512|avx512_vnni|simd)\.h$", name) or "/cpu/" in name:
            continue
        runs = [([*cc.split(), "-x", "c", "-std=c11"], "C11")]
        if name.startswith("kernels/"):
            runs.append(([*cxx, "-x", "c++", "-std=c++17"], "C++17"))
        for compiler, dialect in runs:
            r = subprocess.run(compiler + ["-D_GNU_SOURCE", "-fsyntax-only", "-I", TREE, "-"],
                               input=f'#include "{name}"\n', capture_output=True, text=True)
            if r.returncode:
                say(name, 1, f"does not compile alone as {dialect}: {r.stderr.strip().splitlines()[0][:160]}")


def module_prefixes(name):
    """Prefixes that external symbols of a source file may carry: its own name, or that of its module's header."""
    stem = os.path.basename(name)[:-2]
    parts = stem.split("_")
    return {"_".join(parts[:n]) for n in range(1, len(parts) + 1)} | {os.path.basename(os.path.dirname(name))}


def check_symbols(say, build):
    for path in sources((".c",)):
        name = rel(path)
        obj = os.path.join(build, name[:-2] + ".o")
        if name.startswith("tests/") or not os.path.exists(obj):
            continue
        r = subprocess.run(["nm", "-g", "--defined-only", obj], capture_output=True, text=True)
        for line in r.stdout.split("\n"):
            parts = line.split()
            if len(parts) != 3 or parts[1] not in "TDBRV":
                continue
            symbol = parts[2]
            if symbol.startswith(("__", "_ZTS")):
                continue
            allowed = PREFIX_OF.get(name)
            if allowed and re.match(rf"({allowed})", symbol):
                continue
            if not any(symbol == p or symbol.startswith(p + "_") for p in module_prefixes(name)):
                say(name, 1, f"external symbol {symbol} does not carry the module's name")


def check_words(say):
    """Nothing in the tree names the machine it was made on."""
    banned = re.compile(r"/(?:home|root|work|farm|opt)/[a-z]")
    listed = subprocess.run(["git", "-C", TREE, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True)
    for name in listed.stdout.split("\n"):
        path = os.path.join(TREE, name)
        if not name or not os.path.isfile(path) or os.path.getsize(path) > 1 << 20 or name == "tests/lint/lint.py":
            continue
        with open(path, "rb") as f:
            data = f.read()
        if b"\0" in data:
            continue
        for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
            if banned.search(line) and not re.search(r"/opt/seekd|/work(dir|space)|example", line):
                say(name, number, f"a path of one machine: {banned.search(line).group(0)}")


def lint(build, cc):
    breaches = []

    def say(name, line, what):
        breaches.append(f"{name}:{line}: {what}")

    for path in sources():
        with open(path, encoding="utf-8") as f:
            text = f.read()
        check_includes(path, text, say)
        check_text(path, text, say)
    check_headers(say, cc)
    check_symbols(say, build)
    check_words(say)
    return breaches


PLANTS = [  # file, text to append, part of the message that must appear
    ("base/planted.c", '/* x */\n#include "engine/protocol.h"\n', "base may not include"),
    ("server/planted.c", '/* x */\n#include "engine/weights/weights.h"\n', "server may not include"),
    ("text/planted.c", "/* x */\n#include <microhttpd.h>\n", "text may not use"),
    ("engine/scheduler.c", "void f(void) { clock_gettime(0, 0); }\n", "not replayable"),
    ("kernels/planted.c", "/* x */\nvoid f(void) { malloc(1); }\n", "memory goes through"),
    ("kernels/planted.h", "int x;\n", "include guard"),
    ("text/planted2.c", "/* x */\nint y; // " + "TO" + "DO\n", "unfinished"),
    ("base/planted3.c", "/* x */\n" + "int z;\n" * 901, "lines, at most"),
]


def selftest(cc):
    global TREE
    ok = True
    for name, text, want in PLANTS:
        with tempfile.TemporaryDirectory() as tmp:
            for folder in FOLDERS:
                shutil.copytree(os.path.join(ROOT, folder), os.path.join(tmp, folder))
            os.mkdir(os.path.join(tmp, "tests"))
            path = os.path.join(tmp, name)
            with open(path, "a", encoding="utf-8") as f:
                f.write(text)
            TREE = tmp
            breaches = []
            say = lambda n, l, w: breaches.append(f"{n}:{l}: {w}")
            with open(path, encoding="utf-8") as f:
                whole = f.read()
            check_includes(path, whole, say)
            check_text(path, whole, say)
            if not any(want in b and b.startswith(name) for b in breaches):
                print(f"lint self-test: a planted breach in {name} was not caught ({want})")
                ok = False
    TREE = ROOT
    return ok


TREE = ROOT


def main():
    build = os.environ.get("BUILD", os.path.join(ROOT, "build"))
    cc = os.environ.get("CC", "gcc")
    if "--selftest" in sys.argv:
        sys.exit(0 if selftest(cc) else 1)
    breaches = lint(build, cc)
    for b in breaches:
        print(b)
    print(f"lint: {len(breaches)} breaches")
    sys.exit(1 if breaches else 0)


if __name__ == "__main__":
    main()
