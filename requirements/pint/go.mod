// Locks pint, which `make check` builds: scripts/lint.
module rollback-agent/pint

go 1.22.0

require github.com/cloudflare/pint v0.60.0
