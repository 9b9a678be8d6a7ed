# shellcheck shell=sh disable=SC2034
# What the scripts beside this file roll back, and how. They read it as shell: who may write it may run commands.

# The directory with releases/<id>, the link current, and shared/.
app=/srv/qrl

# How many seconds verify-rollback.sh waits until the deployment is well.
verify_within=120

# Makes the services run from $app/current, and ends once they were restarted.
restart() {
    systemctl restart qrl.target
}

# Ends with 0 where the deployment is well. This is what verify-rollback.sh asks.
check() {
    curl --fail --silent --show-error --max-time 5 --output /dev/null http://127.0.0.1:8000/
    curl --fail --silent --show-error --max-time 5 --output /dev/null http://127.0.0.1:5000/health
    curl --fail --silent --show-error --max-time 5 --output /dev/null http://127.0.0.1:7860/
}

# Puts what must not be lost into the directory $1, beside what backup-current-state.sh keeps itself.
back_up() {
    : "$1"
}

# Only for --full: stops whatever writes to the database. `restart` starts it again.
stop() {
    systemctl stop qrl.target
}

# Only for --full: takes the database back from release $1 to release $2. $1 is still live, and stopped.
take_database_back() {
    echo "no way back is configured for the database of $1; see take_database_back in settings.sh" >&2
    return 1
}
