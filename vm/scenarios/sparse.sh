# shellcheck shell=dash disable=SC2034,SC2154
about="CPU ids with gaps: among the possible CPUs on AArch64, among those online on x86-64"
cpus=8
memory=3G
# On AArch64 the kernel finds these two broken, and counts them as impossible. On x86-64 it knows no such thing.
broken_cpus="2 5"

inside() {
  local cpu
  for cpu in 1 2 5; do
    if [ -e "/sys/devices/system/cpu/cpu$cpu/online" ]; then
      echo 0 >"/sys/devices/system/cpu/cpu$cpu/online" || return
    fi
  done
  check "ids have gaps" gaps
  suite rseq
  stress rseq
}

gaps() {
  local possible online
  possible=$(cat /sys/devices/system/cpu/possible)
  online=$(cat /sys/devices/system/cpu/online)
  say "CPUs possible $possible, online $online"
  case $(uname -m) in
    aarch64) [ "$possible $online" = "0-1,3-4,6-7 0,3-4,6-7" ] ;;
    *) [ "$possible $online" = "0-7 0,3-4,6-7" ] ;;
  esac
}
