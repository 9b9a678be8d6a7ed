#!/bin/sh
# Keeps what the deployment is at this moment, in ../backups/state-<time>: which release is live, which are there, the
# settings, and what back_up of settings.sh adds. MANIFEST.txt has size and SHA-256 of each file; the backup is read back
# against it, and only then gets its name.
# usage: backup-current-state.sh
# Exit codes: 0 kept, 64 wrong usage, else that of what failed, and nothing is left.
set -eu
umask 077

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=SCRIPTDIR/settings.sh
. "$here/settings.sh"
if [ $# -gt 0 ]; then
    echo "usage: backup-current-state.sh" >&2
    exit 64
fi

backups=${here%/*}/backups
name=state-$(date -u +%Y%m%d-%H%M%S)-$$
partial=$backups/.partial-$$
mkdir -p "$partial"
trap 'rm -rf "$partial"' EXIT

"$here/list-releases.sh" --live >"$partial/live-release"
"$here/list-releases.sh" >"$partial/known-releases"
cp "$here/settings.sh" "$partial/settings.sh"
back_up "$partial"

cd "$partial"
# Neither a link nor a name of more than one word could be a line of the manifest.
if [ -n "$(find . -name '*[!A-Za-z0-9._+@,=-]*' -o ! -type f ! -type d)" ]; then
    echo "the backup holds a link, or a file whose name is not plain, and MANIFEST.txt cannot list it" >&2
    exit 65
fi
digest_of() {
    sum=$(sha256sum "$1")
    printf '%s\n' "${sum%% *}"
}
for path in $(find . -mindepth 1 \( -type d -printf '%P/\n' -o -printf '%P\n' \) | LC_ALL=C sort); do
    case $path in
        */) printf -- '-  0  "%s"\n' "$path" ;;
        *) printf '%s  %s  "%s"\n' "$(digest_of "$path")" "$(stat --format=%s "$path")" "$path" ;;
    esac >>MANIFEST.txt
done
find . -type f -exec sync {} +
while read -r digest size quoted; do
    listed=${quoted#\"} listed=${listed%\"}
    [ "$digest" != - ] || continue
    if [ "$(digest_of "$listed")" != "$digest" ] || [ "$(stat --format=%s "$listed")" != "$size" ]; then
        echo "$listed is not what was written" >&2
        exit 74
    fi
done <MANIFEST.txt
cd "$backups"
mv -T "$partial" "$backups/$name"
sync "$backups"
echo "kept in $backups/$name"
