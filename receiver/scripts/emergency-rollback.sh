#!/bin/sh
# Rolls the deployment back: --fast switches the code, --full takes the database back as well.
# usage: emergency-rollback.sh --fast|--full [--dry-run] [--auto-confirm]
# The agent says which release is live and which shall be, in ROLLBACK_LIVE_RELEASE and ROLLBACK_TARGET_RELEASE. By hand,
# without them, it goes from the live release to the one whose name sorts right before it.
# Exit codes: 0 done, 1 not confirmed, 64 wrong usage, 65 another release is live and nothing was touched, 66 the target
# is not there and nothing was touched, 74 the link could not be switched, 75 somebody else holds the lock, else that of
# the step that failed.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=SCRIPTDIR/settings.sh
. "$here/settings.sh"

level='' dry_run=no confirmed=no
usage() {
    echo "usage: emergency-rollback.sh --fast|--full [--dry-run] [--auto-confirm]" >&2
    exit 64
}
while [ $# -gt 0 ]; do
    case $1 in
        --fast | --full)
            [ -z "$level" ] || usage
            level=${1#--}
            ;;
        --dry-run) dry_run=yes ;;
        --auto-confirm) confirmed=yes ;;
        *) usage ;;
    esac
    shift
done
[ -n "$level" ] || usage

fail() {
    code=$1
    shift
    printf '%s\n' "$*" >&2
    exit "$code"
}

live_release() {
    line=$("$here/list-releases.sh" --live) || exit 66
    printf '%s\n' "${line%% *}"
}

release_before() {
    known=$("$here/list-releases.sh") || exit 66
    before=''
    for name in $(printf '%s\n%s\n' "$known" "$1" | cut -d' ' -f1 | LC_ALL=C sort -u); do
        [ "$name" != "$1" ] || break
        before=$name
    done
    printf '%s\n' "$before"
}

# A function of settings.sh, ended by its first error; its exit code is in $code. It does not inherit the lock, which
# the services that it starts would hold for ever.
run() {
    set +e
    (
        set -e
        "$@"
    ) 9>&-
    code=$?
    set -e
}

# A deploy that takes the same lock cannot come between the look and the switch.
take_lock() {
    exec 9>>"$app/switch.lock"
    flock --wait 60 9 || fail 75 "somebody else has held $app/switch.lock for 60 s; nothing was touched"
}

require_live() {
    found=$(live_release)
    [ "$found" = "$live" ] || fail 65 "the live release is $found, not $live; nothing was touched"
}

take_database_back_or_give_up() {
    run stop
    if [ "$code" -eq 0 ]; then
        echo "stopped; taking the database back from $live to $target"
        run take_database_back "$live" "$target"
    fi
    [ "$code" -eq 0 ] || give_up "$code"
}

give_up() {
    echo "that failed with exit code $1: $live stays live and is started again" >&2
    run restart
    exit "$1"
}

switch() {
    ln -s "releases/$target" "$app/current.new.$$" &&
        mv -T "$app/current.new.$$" "$app/current" &&
        sync "$app" &&
        echo "current: $live -> $target"
}

live=${ROLLBACK_LIVE_RELEASE:-$(live_release)}
target=${ROLLBACK_TARGET_RELEASE:-$(release_before "$live")}
[ -n "$target" ] || fail 66 "there is no release before $live"
case $target in
    [!A-Za-z0-9]* | *[!A-Za-z0-9._-]*) fail 66 "'$target' is no release id; nothing was touched" ;;
esac
[ -d "$app/releases/$target" ] || fail 66 "release $target is not there; nothing was touched"

if [ "$dry_run" = yes ]; then
    require_live
    echo "dry run, nothing is changed; a $level rollback from $live to $target would:"
    [ "$level" = fast ] || echo "- stop the services and take the database back"
    echo "- point $app/current to releases/$target"
    echo "- restart the services"
    exit 0
fi
if [ "$confirmed" = no ]; then
    printf 'A %s rollback from %s. Type the release to go to, %s, to confirm: ' "$level" "$live" "$target"
    answer=''
    read -r answer || true
    [ "$answer" = "$target" ] || fail 1 "not confirmed; nothing was touched"
fi

take_lock
require_live
[ "$level" = fast ] || take_database_back_or_give_up
if ! switch; then
    [ "$level" = fast ] || echo "the database has been taken back already, and the services are stopped" >&2
    fail 74 "$live could not be switched to $target"
fi
exec 9>&-
run restart
exit "$code"
