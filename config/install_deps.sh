#!/bin/sh
# Installs what is missing for the given uses (build, run, test) from Debian's or Ubuntu's packages, and says what
# it does. Works as root, or as a user with sudo; where neither is there it names the packages and stops.
#
#   config/install_deps.sh build run        install
#   config/install_deps.sh --check build    only say what is missing (exit 1 if anything is)
set -eu
here=$(dirname "$0")
check=0
if [ "${1:-}" = --check ]; then
    check=1
    shift
fi
uses=" $* "

present() {
    what=${1#*:}
    case $1 in
    c:*) command -v "$what" >/dev/null 2>&1 ;;
    p:*) command -v pkg-config >/dev/null 2>&1 && pkg-config --exists "$what" ;;
    f:*) [ -e "$what" ] ;;
    r:*) resources=$("$what" -print-resource-dir 2>/dev/null) && find "$resources/" -name 'libclang_rt.fuzzer*.a' | grep -q . ;;
    v:*) "$what" -c 'import ensurepip, venv' >/dev/null 2>&1 ;;
    esac
}

missing=
while read -r use probe package; do
    case $use in '' | \#*) continue ;; esac
    case $uses in *" $use "*) ;; *) continue ;; esac
    case " $missing " in *" $package "*) continue ;; esac
    present "$probe" || missing="$missing $package"
done <"$here/packages.txt"
[ -n "$missing" ] || exit 0

if [ "$check" = 1 ]; then
    echo "missing packages:$missing (\`make deps\` installs them on Debian and Ubuntu)" >&2
    exit 1
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "missing (by their Debian names):$missing" >&2
    echo "this system has no apt-get: install them with its own package manager" >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1; then
    as_root="sudo env DEBIAN_FRONTEND=noninteractive"
else
    echo "missing packages:$missing" >&2
    echo "neither root nor sudo: ask an administrator to run: apt-get install$missing" >&2
    exit 1
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
$as_root apt-get update -qq || echo "apt-get update failed; trying with the lists at hand" >&2
# A distribution may keep what is wanted in another package: the build names what it then still misses.
known=
for package in $missing; do
    if apt-cache show "$package" >/dev/null 2>&1; then
        known="$known $package"
    else
        echo "this distribution has no package $package: left out" >&2
    fi
done
# shellcheck disable=SC2086
if ! $as_root apt-get install -y -qq --no-install-recommends $known >/dev/null; then
    echo "could not install:$missing" >&2
    exit 1
fi
