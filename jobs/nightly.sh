#!/bin/sh
# One night of a job: run it for one date, verify the output, and load it into PostgreSQL if a database is named.
#
#     nightly.sh JOB OUT [DATE]
#
# DATE is the last date counted; without it, yesterday by this machine's calendar (TZ=Europe/London nightly.sh … for
# another). A cron line:
#
#     30 4 * * *  RFMILL_LOAD_TO='postgres://loader@db/shop?sslmode=verify-full' /opt/rfmill/jobs/nightly.sh /etc/rfmill/nightly.toml /data/rfmill >>/var/log/rfmill.log 2>&1
#
# RFMILL_LOAD_TO       database to load into; the password belongs in ~/.pgpass
# RFMILL               the program (rfmill)
# RFMILL_TRIES         how often a step is tried (4)
# RFMILL_WAIT_SECONDS  wait before the next try (300)
#
# What is tried again is what time can heal: exit 4 (a file is late or was changed while it was read), 6 (disk or database
# out of reach), 7 (memory or disk full), 8 (another run holds the output or the schema). After 9 (nobody knows whether
# the commit happened) the output is verified and the step run again, which is safe: a run that is there is recognised. All
# else needs a person: 1 (a bug), 2 (command line or job file), 3 (the data break their contract), 5 (stored state), and
# signals. The exit code is that of the step that failed.
set -u

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
  echo "usage: nightly.sh JOB OUT [DATE]" >&2
  exit 2
fi
job=$1
out=$2
date=${3:-$(date -d yesterday +%F)} || exit 2
rfmill=${RFMILL:-rfmill}
tries=${RFMILL_TRIES:-4}
wait_seconds=${RFMILL_WAIT_SECONDS:-300}

# step NAME ARGUMENTS…: a command of the program, again while time can heal what it says.
step() {
  try=1
  while :; do
    "$rfmill" "$@" --log-format json
    code=$?
    case $code in
      0) return 0 ;;
      4 | 6 | 7 | 8) ;;
      9) "$rfmill" verify "$out" --log-format json ;;
      *) return "$code" ;;
    esac
    if [ "$try" -ge "$tries" ]; then
      printf '{"level":"error","event":"gave_up","exit_code":%d,"message":"nightly.sh: gave up %s for %s after %d tries"}\n' \
        "$code" "$1" "$date" "$try" >&2
      return "$code"
    fi
    try=$((try + 1))
    sleep "$wait_seconds"
  done
}

step run "$job" --as-of "$date" --output "$out" || exit
"$rfmill" verify "$out" --log-format json || exit
if [ -n "${RFMILL_LOAD_TO:-}" ]; then
  step load "$out" --to "$RFMILL_LOAD_TO" || exit
fi
