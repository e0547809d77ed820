# shellcheck shell=dash disable=SC2034,SC2154
about="a process that may run on 2 of 8 CPUs: the tests and the stress program"
cpus=8
memory=3G

inside() {
  local backend
  # The JVMs inherit it.
  taskset -p 48 $$ || return
  check "may run on CPUs 3 and 6 only" grep -q 'Cpus_allowed_list:.3,6$' /proc/self/status
  for backend in $backends; do
    suite "$backend"
    stress "$backend"
  done
}
