# shellcheck shell=bash
# Headless Chromium, for the scripts that check a page with it. To be read by them: it makes the directory "$work", and
# removes it with everything they have started.

work=$(mktemp -d)
# Chromium leaves something there if a signal ends it.
export TMPDIR=$work
# Bash calls this also if a signal ends it. Chromium may still write to its profile, so that the profile is not removed:
# that is no failure.
finish() {
  # shellcheck disable=SC2046 # a process each
  kill $(jobs -p) 2>/dev/null || true
  wait 2>/dev/null
  rm -rf "$work" || true
}
trap finish EXIT
options=(--headless --disable-gpu --no-first-run --user-data-dir="$work/profile" --enable-logging=stderr)
# Chromium refuses to run in its sandbox as root.
((EUID != 0)) || options+=(--no-sandbox)

# In the background, where nothing that ends the script leaves it behind.
chromium() {
  timeout 120 chromium "${options[@]}" "$@" 2>"$work/chromium.log" &
  wait $! || { tail -n 5 "$work/chromium.log" >&2; echo "Chromium has drawn no page" >&2; exit 1; }
}
