#!/bin/sh
# Says whether the deployment is well: with --check-only at this moment, else three times in a row within $verify_within
# seconds, with the release live that ROLLBACK_TARGET_RELEASE names, where it is set.
# usage: verify-rollback.sh [--check-only]
# Exit codes: 0 it is well, 1 it is not, 64 wrong usage.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=SCRIPTDIR/settings.sh
. "$here/settings.sh"

# Ended by its first error, which it would not be as a condition.
is_well() {
    set +e
    (
        set -e
        check
    )
    code=$?
    set -e
}

case ${1-} in
    --check-only)
        is_well
        [ "$code" -eq 0 ] || { echo "not well: the check ended with exit code $code" >&2 && exit 1; }
        echo "well"
        exit 0
        ;;
    '') ;;
    *)
        echo "usage: verify-rollback.sh [--check-only]" >&2
        exit 64
        ;;
esac

if [ -n "${ROLLBACK_TARGET_RELEASE-}" ]; then
    line=$("$here/list-releases.sh" --live)
    if [ "${line%% *}" != "$ROLLBACK_TARGET_RELEASE" ]; then
        echo "${line%% *} is live, not $ROLLBACK_TARGET_RELEASE" >&2
        exit 1
    fi
fi
deadline=$(($(date +%s) + verify_within))
in_a_row=0
while [ "$in_a_row" -lt 3 ]; do
    is_well
    if [ "$code" -eq 0 ]; then
        in_a_row=$((in_a_row + 1))
    else
        in_a_row=0
    fi
    if [ "$(date +%s)" -ge "$deadline" ] && [ "$in_a_row" -lt 3 ]; then
        echo "not well three times in a row within $verify_within s" >&2
        exit 1
    fi
    sleep 1
done
echo "well three times in a row"
