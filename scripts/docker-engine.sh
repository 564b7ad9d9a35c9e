#!/bin/sh
# A container engine of one's own for tests: nothing of it is shared with another engine here.
#
#   scripts/docker-engine.sh start [FOLDER [OPTION...]]  says the DOCKER_HOST to use
#   scripts/docker-engine.sh stop [FOLDER]               ends it; images stay in FOLDER
#   scripts/docker-engine.sh status [FOLDER]             fails where none runs
#
# Options are dockerd's. Needs root. Programs that are missing are installed by apt. It has no network at all: attempts
# need none, and what does uses the host's.
set -eu
folder=${2:-/var/tmp/fixproof-engine}
pid=$folder/engine.pid

say() { echo "docker-engine: $*" >&2; }
lives() { [ -s "$pid" ] && kill -0 "$(cat "$pid")" 2>/dev/null; }
answers() { docker --host "unix://$folder/engine.sock" version >/dev/null 2>&1; }
missing() {
    for each in dockerd docker docker-init debootstrap iptables; do
        PATH=$PATH:/usr/sbin:/sbin command -v "$each" >/dev/null || echo "$each"
    done
}

install() {
    [ -n "$(missing)" ] || return 0
    export DEBIAN_FRONTEND=noninteractive
    set -- install --quiet=2 --yes --no-install-recommends docker.io iptables debootstrap
    if ! apt-get "$@" >&2 && ! { apt-get --quiet=2 update && apt-get "$@"; } >&2; then
        say "apt-get could not install: $(missing)"
        exit 1
    fi
}

start() {
    if [ "$(id -u)" -ne 0 ]; then
        say "only root can start an engine; where one runs already, set DOCKER_HOST"
        exit 1
    fi
    install
    mkdir -p "$folder"
    if ! lives; then
        rm -f "$pid" # of one that was killed: its number may be another's by now
        setsid dockerd --host "unix://$folder/engine.sock" --pidfile "$pid" \
            --data-root "$folder/data" --exec-root "$folder/exec" \
            --bridge=none --iptables=false --ip-masq=false --ip-forward=false "$@" \
            >"$folder/engine.log" 2>&1 </dev/null &
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
    echo "unix://$folder/engine.sock"
}

stop() {
    lives && kill "$(cat "$pid")"
    tries=150
    while lives && [ "$tries" -gt 0 ]; do
        tries=$((tries - 1))
        sleep 0.2
    done
    # One that was killed leaves its mounts behind.
    awk -v folder="$folder/" 'index($5, folder) == 1 { print $5 }' /proc/self/mountinfo |
        sort -r | while read -r each; do umount -l "$each"; done
}

case ${1:-} in
start)
    shift
    [ $# -eq 0 ] || shift
    start "$@"
    ;;
stop) stop ;;
status) lives ;;
*)
    say "start, stop or status?"
    exit 2
    ;;
esac
