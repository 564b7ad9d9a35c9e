#!/bin/sh
# Podman's socket, of one's own, for tests: nothing of it is shared with another Podman here.
#
#   scripts/podman-engine.sh start [FOLDER]   says the DOCKER_HOST to use
#   scripts/podman-engine.sh stop [FOLDER]    ends it; images stay in FOLDER
#   scripts/podman-engine.sh status [FOLDER]  fails where none runs
#
# Needs root. Programs that are missing are installed by apt.
set -eu
folder=${2:-/var/tmp/fixproof-podman}
pid=$folder/engine.pid
socket=$folder/engine.sock

say() { echo "podman-engine: $*" >&2; }
lives() { [ -s "$pid" ] && kill -0 "$(cat "$pid")" 2>/dev/null; }
answers() { podman --url "unix://$socket" version >/dev/null 2>&1; }
missing() {
    for each in podman conmon catatonit runc; do
        PATH=$PATH:/usr/sbin:/sbin:/usr/libexec/podman command -v "$each" >/dev/null || echo "$each"
    done
}

install() {
    [ -n "$(missing)" ] || return 0
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2046 # several packages are several words
    set -- install --quiet=2 --yes --no-install-recommends $(missing)
    if ! apt-get "$@" >&2 && ! { apt-get --quiet=2 update && apt-get "$@"; } >&2; then
        say "apt-get could not install: $(missing)"
        exit 1
    fi
}

# runc, because crun is not the same on every kernel. Where root may not raise limits (it has no
# CAP_SYS_RESOURCE, in a container for example), Podman's own defaults are too high.
configure() {
    cat >"$folder/containers.conf" <<'END'
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
END
}

start() {
    if [ "$(id -u)" -ne 0 ]; then
        say "only root can start this one; where one runs already, set DOCKER_HOST"
        exit 1
    fi
    install
    mkdir -p "$folder/tmp"
    configure
    if ! lives; then
        rm -f "$pid" "$socket" # of one that was killed: its number may be another's by now
        # Images that it is sent leave a file each; what the kernel killed, one where it was started.
        (
            cd "$folder/tmp" || exit
            TMPDIR=$folder/tmp CONTAINERS_CONF=$folder/containers.conf exec setsid podman \
                --root "$folder/data" --runroot "$folder/run" \
                system service --time=0 "unix://$socket"
        ) >"$folder/engine.log" 2>&1 </dev/null &
        echo $! >"$pid"
    fi
    tries=150
    until answers; do
        tries=$((tries - 1))
        if [ "$tries" -eq 0 ]; then
            say "it does not answer; the end of its log:"
            tail -n 5 "$folder/engine.log" >&2
            exit 1
        fi
        sleep 0.2
    done
    echo "unix://$socket"
}

stop() {
    lives && kill "$(cat "$pid")"
    tries=150
    while lives && [ "$tries" -gt 0 ]; do
        tries=$((tries - 1))
        sleep 0.2
    done
    rm -rf "$pid" "$socket" "$folder/tmp"
    # What it mounts for itself, and what one that was killed leaves behind.
    awk -v folder="$folder/" 'index($5, folder) == 1 { print $5 }' /proc/self/mountinfo |
        sort -r | while read -r each; do umount -l "$each"; done
    # Cgroups that it leaves empty; another Podman's are not, and stay.
    find /sys/fs/cgroup/*/libpod_parent -depth -type d -exec rmdir {} + 2>/dev/null || :
}

case ${1:-} in
start | stop) "$1" ;;
status) lives ;;
*)
    say "start, stop or status?"
    exit 2
    ;;
esac
