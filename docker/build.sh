#!/bin/sh
# Builds the image with the first builder that works here: docker, podman or buildah. Exit code 69: there is none, or it
# cannot fetch the base image.
#
#   docker/build.sh seekd:local                            for the base image see DEBIAN in docker/Dockerfile
#   DEBIAN=mirror.example/debian:bookworm-slim docker/build.sh seekd:local
set -eu
tag=${1:?usage: docker/build.sh TAG}
cd "$(dirname "$0")/.."

works() {
    command -v "$1" >/dev/null 2>&1 && "$@" info >/dev/null 2>&1
}

# podman and buildah write health checks only into images of docker's format.
if works docker; then
    builder="docker build"
elif works podman; then
    builder="podman build --format docker"
elif works buildah; then
    builder="buildah build --format docker"
else
    echo "no image builder works here: install docker, podman or buildah (and start the docker service)" >&2
    exit 69
fi
base=${DEBIAN:-$(sed -n 's/^ARG DEBIAN=//p' docker/Dockerfile)}
fetch_base() {
    case $builder in
    docker*) docker image inspect "$base" || docker pull "$base" ;;
    podman*) podman image exists "$base" || podman pull "$base" ;;
    buildah*) buildah inspect --type image "$base" || buildah pull "$base" ;;
    esac
}
if ! fetch_base >/dev/null; then
    echo "the base image $base cannot be fetched" >&2
    exit 69
fi
commit=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
echo "building $tag with ${builder%% *}"
# shellcheck disable=SC2086
exec $builder --build-arg COMMIT="$commit" ${DEBIAN:+--build-arg DEBIAN="$DEBIAN"} ${BUILD_OPTIONS:-} -f docker/Dockerfile -t "$tag" .
