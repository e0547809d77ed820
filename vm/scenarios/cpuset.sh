# shellcheck shell=dash disable=SC2034,SC2154
about="a container that may use 2 of 8 CPUs, and then others again and again while the stress program runs"
cpus=8
memory=3G

group=/sys/fs/cgroup/few

inside() {
  local backend
  mount -t cgroup2 cgroup2 /sys/fs/cgroup || return
  echo +cpuset >/sys/fs/cgroup/cgroup.subtree_control || return
  mkdir "$group" || return
  echo 3,6 >"$group/cpuset.cpus" || return
  echo $$ >"$group/cgroup.procs" || return
  check "may run on CPUs 3 and 6 only" grep -q 'Cpus_allowed_list:.3,6$' /proc/self/status
  for backend in $backends; do
    suite "$backend"
    rm -f /tmp/stop
    echo 0 >/tmp/times
    change &
    stress "$backend"
    touch /tmp/stop
    wait
    say "$(cat /tmp/times) times the CPUs changed"
    check "CPUs changed under $backend" test "$(cat /tmp/times)" -ge 10
    echo 3,6 >"$group/cpuset.cpus"
  done
}

# The kernel moves all threads at each change, those too that were bound to a CPU.
change() {
  local times=0 cpus
  while [ ! -e /tmp/stop ]; do
    for cpus in 0-1 2-7 6 1-3,5 3,6; do
      if ! echo "$cpus" >"$group/cpuset.cpus"; then
        echo 0 >/tmp/times
        return
      fi
      times=$((times + 1))
      usleep 50000
    done
    echo "$times" >/tmp/times
  done
}
