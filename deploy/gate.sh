#!/bin/sh
# Asks Spangate whether a rollout may go on, with a shell and curl alone: for pipelines that have no
# `spangate` binary. The options and the exit codes are those of `spangate gate`.
#
#     SPANGATE_SERVER=http://spangate:4320 sh gate.sh --service checkout --version v42 --wait 15m
#
#   --service NAME  --version VERSION  --namespace NAME  --environment NAME  --marker ID
#   --deadline TIME|DURATION  --min-health 0…100
#   --wait DURATION      asks again while the gate waits, for so long: 90s, 15m, 2h; asks once without
#   --interval DURATION  how often meanwhile; 10s
#
# 0 promote, 10 rollback, 11 wait; 64 the question is wrong, 69 the server is out of reach or not
# ready, 70 anything else, 77 it does not allow this. The verdict and its first reason are printed.
# A server that is away is asked again until the time is over.
set -u

fail() {
  code=$1
  shift
  printf '%s\n' "gate.sh: $*" >&2
  exit "$code"
}

# A duration in seconds.
seconds() {
  count=${1%[smh]}
  case $count in
    '' | *[!0-9]* | ????????*) fail 64 "'$1' is no duration; write 90s, 15m or 2h" ;;
  esac
  # Leading zeros would make it octal.
  count=$(printf '%s' "$count" | sed 's/^0*\(.\)/\1/')
  case $1 in
    *s) echo "$count" ;;
    *m) echo "$((count * 60))" ;;
    *h) echo "$((count * 3600))" ;;
    *) fail 64 "'$1' is no duration; write 90s, 15m or 2h" ;;
  esac
}

server=${SPANGATE_SERVER:-http://127.0.0.1:4320}
service= version= namespace= environment= marker= deadline= min_health=
wait=0 interval=10
while [ "$#" -gt 0 ]; do
  case $1 in
    --service | --version | --namespace | --environment | --marker | --deadline | --min-health | \
      --wait | --interval) ;;
    *) fail 64 "'$1' is no option; they are at the beginning of this file" ;;
  esac
  # A variable that is not set in a pipeline must not ask about something else than was meant.
  [ -n "${2-}" ] || fail 64 "$1 is empty; leave it out if it is not meant"
  case $1 in
    --service) service=$2 ;;
    --version) version=$2 ;;
    --namespace) namespace=$2 ;;
    --environment) environment=$2 ;;
    --marker) marker=$2 ;;
    --deadline) deadline=$2 ;;
    --min-health) min_health=$2 ;;
    --wait) wait=$(seconds "$2") || exit 64 ;;
    --interval) interval=$(seconds "$2") || exit 64 ;;
  esac
  shift 2
done
[ -n "$service$marker" ] || fail 64 "name what to decide about: --service or --marker"
[ "$interval" -ge 1 ] || interval=1

set -- --silent --get
[ -z "$service" ] || set -- "$@" --data-urlencode "service=$service"
[ -z "$version" ] || set -- "$@" --data-urlencode "version=$version"
[ -z "$namespace" ] || set -- "$@" --data-urlencode "namespace=$namespace"
[ -z "$environment" ] || set -- "$@" --data-urlencode "environment=$environment"
[ -z "$marker" ] || set -- "$@" --data-urlencode "marker=$marker"
[ -z "$deadline" ] || set -- "$@" --data-urlencode "deadline=$deadline"
[ -z "$min_health" ] || set -- "$@" --data-urlencode "min_health=$min_health"

# One text out of the answer: the first string after what is given. Quotes inside a string of JSON
# are escaped, so that nothing inside a reason looks like a member.
text_after() {
  printf '%s' "$answer" |
    sed -n -E 's/.*'"$1"'[[:space:]]*"(([^"\\]|\\.)*)".*/\1/p' |
    sed -E 's/\\(["\\/])/\1/g'
}

# Sets `status`, 000 where there was no answer, and `answer`, on one line.
ask() {
  limit=60
  if [ "$wait" -gt 0 ]; then
    # A server that takes the question and says nothing must not make the wait longer.
    rest=$((end - $(date +%s)))
    [ "$rest" -ge "$limit" ] || limit=$rest
    [ "$limit" -ge 1 ] || limit=1
  fi
  answer=$(curl "$@" --max-time "$limit" --write-out '\n%{http_code}' "$server/api/v1/gate")
  status=$(printf '%s\n' "$answer" | tail -n 1)
  answer=$(printf '%s\n' "$answer" | sed '$d' | tr '\n\r' '  ')
}

end=$(($(date +%s) + wait))
shown=
while :; do
  ask "$@"
  case $status in
    200)
      verdict=$(text_after '"verdict"[[:space:]]*:')
      reason=$(text_after '"reasons"[[:space:]]*:[[:space:]]*\[')
      case $verdict in
        promote) code=0 ;;
        rollback) code=10 ;;
        wait) code=11 ;;
        *) fail 70 "$server answered something that is no verdict; port 4320 is the one to ask" ;;
      esac
      said="$verdict: $reason"
      ;;
    000 | 429 | 502 | 503 | 504)
      verdict=away code=69
      said="$server is out of reach or not ready ($status)"
      ;;
    401 | 403) fail 77 "$server does not allow this ($status)" ;;
    400 | 404 | 422)
      detail=$(text_after '"detail"[[:space:]]*:')
      fail 64 "${detail:-$server answered $status}"
      ;;
    *) fail 70 "$server answered $status" ;;
  esac
  rest=$((end - $(date +%s)))
  case $verdict in
    promote | rollback) break ;;
  esac
  [ "$rest" -gt 0 ] || break
  # A line when something new is waited for.
  [ "$said" = "$shown" ] || printf '%s\n' "waiting: $said" >&2
  shown=$said
  [ "$rest" -ge "$interval" ] && sleep "$interval" || sleep "$rest"
done
[ "$code" -ne 69 ] || fail 69 "$said"
printf '%s\n' "$said"
exit "$code"
