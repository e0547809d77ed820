# shellcheck shell=dash disable=SC2034,SC2154
about="CPUs that go offline and online while the stress program runs"
cpus=6
memory=3G

inside() {
  local backend
  for backend in $backends; do
    rm -f /tmp/stop
    echo 0 >/tmp/times
    unplug &
    stress "$backend"
    touch /tmp/stop
    wait
    say "$(cat /tmp/times) times a CPU went offline"
    check "CPUs went offline under $backend" test "$(cat /tmp/times)" -ge 10
  done
  # A JVM that starts without them.
  set_online 1 0 && set_online 4 0 || return
  suite rseq
}

# One to three at a time, all but CPU 0. If that ever fails the number of times is 0.
unplug() {
  local times=0 round=0 cpu
  while [ ! -e /tmp/stop ]; do
    round=$((round + 1))
    for cpu in $(seq $((round % 5 + 1)) $((round % 5 + round % 3 + 1))); do
      set_online $((cpu % 5 + 1)) 0 || return
      times=$((times + 1))
    done
    for cpu in 1 2 3 4 5; do
      set_online "$cpu" 1 || return
    done
    echo "$times" >/tmp/times
  done
}

set_online() {
  echo "$2" >"/sys/devices/system/cpu/cpu$1/online" && return
  echo 0 >/tmp/times
  return 1
}
