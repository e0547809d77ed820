# shellcheck shell=dash disable=SC2034,SC2154
about="all of the core's tests and the stress program, on each back end"
cpus=4
memory=3G

inside() {
  local backend
  classes=${classes:-.+Test}
  for backend in $backends; do
    halved_suite "$backend"
  done
  for backend in $backends; do
    stress "$backend"
  done
}
