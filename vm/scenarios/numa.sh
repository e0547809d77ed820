# shellcheck shell=dash disable=SC2034,SC2154
about="two NUMA nodes: each CPU's pages lie on its own"
cpus=4
memory=4G
qemu_options="-object memory-backend-ram,id=m0,size=2G -numa node,nodeid=0,cpus=0,cpus=2,memdev=m0"
qemu_options="$qemu_options -object memory-backend-ram,id=m1,size=2G -numa node,nodeid=1,cpus=1,cpus=3,memdev=m1"

inside() {
  local backend
  check "two nodes" test "$(cat /sys/devices/system/node/has_cpu)" = 0-1
  for backend in $backends; do
    suite "$backend"
  done
}
