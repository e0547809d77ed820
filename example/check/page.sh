#!/usr/bin/env bash
# Opens the example's status page in headless Chromium. What the page has drawn must be what the server's history says,
# value by value, and its scripts must end without an error.
#
#   page.sh ADDRESS
#
# Needs chromium and curl. The example must have answered requests in the last minute, and must answer none now.
set -euo pipefail
address=$1
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=testing/check/chromium.sh
source "$here/../../testing/check/chromium.sh"

# A line for each plot and CPU, without what is 0 or was not there: so seconds that pass meanwhile change nothing.
without_nothing() {
  sed -e ':again; s/ \(null\|0\)\( \|$\)/\2/; t again' -e 's/ *$//' | sort
}

history() {
  curl -sf "http://$address/history" | sed -n \
    -e 's/, \(null\|[0-9]\)/ \1/g' \
    -e 's/.*"cpu": \([0-9]*\), "rate": \[\([^]]*\)\], "micros": \[\([^]]*\)\].*/rate, CPU \1: \2\nmicros, CPU \1: \3/p' |
    without_nothing
}

drawn() {
  sed -n '/<pre id="drawn">/,/<\/details>/p' "$work/page.html" |
    sed -e 's/.*<pre id="drawn">//' -e 's/<\/pre>.*//' -e '/<\/details>/d' |
    without_nothing
}

# The history may get its last requests while the page is opened: then once more.
for _ in {1..5}; do
  before=$(history) || { echo "no history at $address" >&2; exit 1; }
  # The page asks for the history once it is loaded. Virtual time stands still until the answer is there.
  chromium --virtual-time-budget=2000 --dump-dom "http://$address/" >"$work/page.html"
  page=$(drawn)
  [[ $before != "$(history)" ]] || break
done
grep -q '^rate, CPU [0-9]*: [1-9]' <<<"$before" || { echo "no requests in the last minute" >&2; exit 1; }
if [[ $page != "$before" ]] || grep -q 'CONSOLE.*Uncaught' "$work/chromium.log"; then
  grep CONSOLE "$work/chromium.log" >&2 || tail -n 5 "$work/chromium.log" >&2
  printf 'the page has drawn\n%s\nand the history is\n%s\n' "$page" "$before" >&2
  exit 1
fi
echo "The page has drawn the history: $(grep -c '^rate' <<<"$page") CPUs"
