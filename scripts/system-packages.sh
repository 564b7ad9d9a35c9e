#!/bin/sh
# Sees to it that the programs that sandboxes need are there, and without `demo` those that only the
# tests need: by apt where that is allowed (root); elsewhere it says what is missing and exits with 1.
#
#   scripts/system-packages.sh [demo]
set -u
purpose=${1:-test}

missing() {
    found=
    command -v bwrap >/dev/null || found="$found bubblewrap"
    # bwrap and setpriv; only root has a use for the latter
    [ "$(id -u)" -ne 0 ] || command -v setpriv >/dev/null || found="$found util-linux"
    [ "$purpose" = demo ] || for_tests
    echo "${found# }"
}

# They start their own.
for_tests() {
    command -v redis-server >/dev/null || found="$found redis-server"
    command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 ||
        found="$found postgresql"
}

get() {
    # shellcheck disable=SC2086 # several packages are several words
    DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends $1
}

# What apt knows may be nothing at all, or out of date.
install() {
    echo "system: installing by apt-get: $1"
    get "$1" >"$log" 2>&1 || { apt-get --quiet=2 update && get "$1"; } >"$log" 2>&1 ||
        { cat "$log" >&2 && false; }
}

# It looks at pages, without a window. Not everywhere is it in apt; then those tests are skipped.
see_to_a_browser() {
    [ "$purpose" = demo ] || command -v chromium >/dev/null ||
        command -v google-chrome >/dev/null || { may_install && install chromium; } ||
        echo "system: no chromium: what is tested in a browser is not" >&2
}

# It reads compose.yaml. Where apt has none, that is not tested.
see_to_compose() {
    [ "$purpose" = demo ] || command -v docker-compose >/dev/null ||
        { may_install && install docker-compose; } ||
        echo "system: no docker-compose: what reads compose.yaml is not tested" >&2
}

may_install() { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
packages=$(missing)
if [ -n "$packages" ]; then
    if ! may_install; then
        echo "system: missing: $packages" >&2
        echo "system: only root may install it: sudo apt-get install $packages" >&2
        exit 1
    fi
    install "$packages"
    packages=$(missing)
    if [ -n "$packages" ]; then
        echo "system: missing: $packages; apt-get could not install it" >&2
        exit 1
    fi
fi
see_to_a_browser
see_to_compose
