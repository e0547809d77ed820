# shellcheck shell=dash disable=SC2034,SC2154
about="strict overcommit: the tests of the area, and the stress program with an area above what is allowed"
cpus=4
memory=3G

inside() {
  local backend
  echo 90 >/proc/sys/vm/overcommit_ratio || return
  echo 2 >/proc/sys/vm/overcommit_memory || return
  say "$(grep CommitLimit /proc/meminfo)"
  # The stress program's area has 1 GiB for each CPU, and as much again for each place of a thread's own.
  check "4 GiB of memory are refused" refused
  for backend in $backends; do
    suite "$backend"
    stress "$backend"
  done
}

# A heap of 4 GiB, which the JVM asks the kernel for at once.
refused() {
  ! /java/bin/java -XX:+UseSerialGC -Xms4g -Xmx4g -version
}
