#!/bin/sh
# Deploys a release unless the agent says no, and tells the agent of it.
#
#   ROLLBACK_AGENT   the agent's address, such as https://rollback.example.com
#   TOKEN_FILE       a file that holds the pipeline's token
#   DEPLOY           the command that deploys; it gets the release's id
#
# deploy.sh DEPLOYMENT RELEASE COMMIT
set -eu

deployment=$1 release=$2 commit=$3
api="$ROLLBACK_AGENT/api/v1/deployments/$deployment"

# The token goes in through standard input, so that no list of processes shows it.
ask() {
    printf 'header = "Authorization: Bearer %s"\n' "$(cat "$TOKEN_FILE")" |
        curl --config - --silent --show-error --fail-with-body --max-time 20 "$@"
}

tell() {
    ask --output /dev/null --retry 3 --data "$1" "$api/releases"
}

# 423 ends the script with curl's exit code 22, and so does an agent that cannot be reached: who cannot ask does not ship.
ask --get --data-urlencode "release=$release" --data-urlencode "commit=$commit" "$api/gate"

tell "{\"event\": \"start\", \"release\": \"$release\", \"commit\": \"$commit\"}"
migration=failed
trap 'tell "{\"event\": \"finish\", \"release\": \"$release\", \"migration\": \"$migration\"}"' EXIT
"$DEPLOY" "$release"
migration=ok
