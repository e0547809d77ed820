#!/usr/bin/env bash
# A real Prometheus server scrapes the example while wrk sends requests to it. Then the totals that Prometheus answers
# with must be what wrk has sent, to the last request. After that the status page is opened in Chromium. All of it is on
# the loopback interface, and ends by itself.
#
#   ./percpu example-test [SECONDS]
#
# Needs wrk, prometheus, curl and chromium. Prints what was sent, answered and scraped.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
root=$(dirname "$(dirname "$here")")
# With --check before the argument, that is all that is done.
check=
[[ ${1:-} != --check ]] || { check=only; shift; }
seconds=${1:-10}
# Afterwards the page has to show all of it, and it shows a minute.
[[ $seconds =~ ^[1-3]?[0-9]$ && $seconds != 0 ]] || {
  echo "percpu: the number of seconds must be from 1 to 39, not \"$seconds\"" >&2
  exit 2
}
(($# <= 1)) || {
  echo "percpu: example-test takes at most one argument, a number of seconds" >&2
  exit 2
}
[[ -z $check ]] || exit 0

work=$(mktemp -d)
pids=()
# Bash calls this also if a signal ends it. What cannot be removed is no failure.
finish() {
  # shellcheck disable=SC2046 # a process each
  kill $(jobs -p) 2>/dev/null || true
  wait 2>/dev/null
  rm -rf "$work" || true
}
trap finish EXIT

: >"$work/example.out"
"$root/percpu" example --port 0 >>"$work/example.out" 2>"$work/example.err" &
pids+=($!)
for _ in {1..600}; do
  address=$(sed -n 's,^Status page: http://\(.*\)/$,\1,p' "$work/example.out")
  [[ -z $address ]] && kill -0 "${pids[0]}" 2>/dev/null || break
  sleep 0.1
done
[[ -n $address ]] || { cat "$work/example.err" >&2; echo "the example did not start" >&2; exit 1; }

cat >"$work/prometheus.yml" <<YML
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: example
    static_configs:
      - targets: ["$address"]
YML
# Any port that is free; which one it is stands in the log. It must not be that of another Prometheus. The log is there
# before it is looked at: a process in the background creates its files when it gets a CPU.
: >"$work/prometheus.log"
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/data" \
  --web.listen-address=127.0.0.1:0 >>"$work/prometheus.log" 2>&1 &
pids+=($!)
for _ in {1..200}; do
  port=$(sed -n 's/.*"Listening on".* address=127\.0\.0\.1:\([0-9]*\).*/\1/p' "$work/prometheus.log")
  [[ -z $port ]] && kill -0 "${pids[1]}" 2>/dev/null || break
  sleep 0.1
done
[[ -n $port ]] || { tail "$work/prometheus.log" >&2; echo "Prometheus did not start" >&2; exit 1; }

# Nothing where there is no answer.
query() {
  curl -sf --get "http://127.0.0.1:$port/api/v1/query" --data-urlencode "query=$1" |
    sed -n 's/.*"value":\[[^,]*,"\([^"]*\)"\].*/\1/p' || true
}

for _ in {1..200}; do
  [[ $(query 'up{job="example"}') != 1 ]] || break
  sleep 0.1
done
[[ $(query 'up{job="example"}') == 1 ]] || { tail "$work/prometheus.log" >&2; echo "nothing is scraped" >&2; exit 1; }

# In the background, where nothing that ends this script leaves it behind.
wrk -t2 -c16 -d"${seconds}s" --latency -s "$here/count.lua" "http://$address/hello" >"$work/wrk.out" &
wait $! || { cat "$work/wrk.out" >&2; echo "wrk failed" >&2; exit 1; }
cat "$work/wrk.out"
sent=$(sed -n 's/^sent: //p' "$work/wrk.out")
[[ $sent =~ ^[1-9] ]] || { echo "wrk has sent nothing" >&2; exit 1; }

all_equal() {
  [[ $total == "$sent" && $count == "$sent" && $bucket == "$sent" ]]
}

# Until a scrape has the last request in all three. A scrape that has it in the counter can have read the histogram
# before: then the next scrape shows the rest too.
for _ in {1..100}; do
  total=$(query 'sum(example_requests_total{path="/hello"})')
  count=$(query 'sum(example_request_duration_seconds_count{path="/hello"})')
  bucket=$(query 'sum(example_request_duration_seconds_bucket{path="/hello",le="+Inf"})')
  ! all_equal || break
  sleep 0.2
done
rate=$(query "max_over_time(rate(example_requests_total{path=\"/hello\",status=\"200\"}[5s])[60s:1s])")
echo "wrk sent $sent; Prometheus: counter $total, histogram count $count, bucket +Inf $bucket, highest rate $rate/s"
all_equal || { echo "NOT EQUAL" >&2; exit 1; }
echo "EQUAL"
"$here/page.sh" "$address" &
wait $!
