#!/bin/sh
# Tells the releases: all that are complete, or with --live the one that `current` points to.
# Each is a line: its id, its commit or "-", and with --live the Unix time since when it is live.
# Exit codes: 0 told, 64 wrong usage, 66 it cannot be read.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=SCRIPTDIR/settings.sh
. "$here/settings.sh"

# A plain name is neither an option nor a path, nor is it more than one word.
is_plain() {
    case $1 in
        '' | [!A-Za-z0-9]* | *[!A-Za-z0-9._-]*) return 1 ;;
    esac
}

commit_of() {
    revision=$(cat "$app/releases/$1/REVISION" 2>/dev/null) || revision=''
    case $revision in
        '' | *[!0-9a-f]*) echo - ;;
        *) printf '%s\n' "$revision" ;;
    esac
}

live() {
    path=$(readlink -f -- "$app/current") || path=''
    releases=$(readlink -f -- "$app/releases") || releases=/nonexistent
    name=${path##*/}
    if [ "$path" != "$releases/$name" ] || ! is_plain "$name" || [ ! -L "$app/current" ]; then
        echo "$app/current is no link to a directory of $app/releases" >&2
        exit 66
    fi
    printf '%s %s %s\n' "$name" "$(commit_of "$name")" "$(stat --format=%Z "$app/current")"
}

known() {
    if [ ! -r "$app/releases" ]; then
        echo "$app/releases cannot be read" >&2
        exit 66
    fi
    for path in "$app"/releases/*/; do
        name=$(basename -- "$path")
        # Without a commit it may be half unpacked, so it is nothing to go back to.
        if is_plain "$name" && [ "$(commit_of "$name")" != - ]; then
            printf '%s %s\n' "$name" "$(commit_of "$name")"
        fi
    done
}

case ${1-} in
    --live) live ;;
    '') known ;;
    *)
        echo "usage: list-releases.sh [--live]" >&2
        exit 64
        ;;
esac
