#!/bin/sh
# Copies the shared libraries a program needs into an image folder, with the licences of the packages they come from.
#
#   docker/collect.sh PROGRAM FOLDER
set -eu
program=${1:?usage: collect.sh PROGRAM FOLDER}
into=${2:?usage: collect.sh PROGRAM FOLDER}

libraries=$(ldd "$program" | sed -n 's/^[^/]*\(\/[^ ]*\) (0x.*/\1/p')
for library in $libraries; do
    # The name the loader asks for is a link: the file behind it is stored under that name.
    mkdir -p "$into$(dirname "$library")"
    cp -L "$library" "$into$library"
    real=$(readlink -f "$library")
    package=$(dpkg -S "$real" 2>/dev/null || dpkg -S "$library" 2>/dev/null || dpkg -S "${real#/usr}" 2>/dev/null) || {
        echo "collect.sh: no package owns $library" >&2
        exit 1
    }
    package=${package%%:*}
    mkdir -p "$into/usr/share/doc/$package"
    cp -L "/usr/share/doc/$package/copyright" "$into/usr/share/doc/$package/copyright"
done
strip --strip-unneeded "$into/usr/bin/seekd"
# Name lookups and certificate checks read these where they are.
mkdir -p "$into/etc"
printf 'seekd:x:10001:10001::/:/usr/bin/seekd\n' >"$into/etc/passwd"
printf 'seekd:x:10001:\n' >"$into/etc/group"
