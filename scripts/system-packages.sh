#!/bin/sh
# Sees to it that the programs that sandboxes need are there: by apt where that is allowed (root);
# elsewhere it says what is missing and exits with 1.
set -u

missing() {
    found=
    command -v bwrap >/dev/null || found="$found bubblewrap"
    # bwrap and setpriv; only root has a use for the latter
    [ "$(id -u)" -ne 0 ] || command -v setpriv >/dev/null || found="$found util-linux"
    echo "${found# }"
}

get() {
    # shellcheck disable=SC2086 # several packages are several words
    DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends $1
}

packages=$(missing)
[ -n "$packages" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    {
        echo "system: missing: $packages"
        echo "system: only root may install it: sudo apt-get install $packages"
    } >&2
    exit 1
fi

echo "system: installing by apt-get: $packages"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# What apt knows may be nothing at all, or out of date.
if ! get "$packages" >"$log" 2>&1 &&
    ! { apt-get --quiet=2 update && get "$packages"; } >"$log" 2>&1; then
    cat "$log" >&2
fi
packages=$(missing)
if [ -n "$packages" ]; then
    echo "system: missing: $packages; apt-get could not install it" >&2
    exit 1
fi
