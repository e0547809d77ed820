#!/usr/bin/env bash
# "./percpu vm-test": runs the tests in virtual machines. Results go to stdout, everything else to stderr.
set -euo pipefail

vm=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
readonly vm
readonly root=${vm%/*}

say() {
  printf 'percpu: %s\n' "$*" >&2
}

die() {
  say "$1"
  exit "${2:-1}"
}

# shellcheck source=vm/packages.sh
. "$vm/packages.sh"
# shellcheck source=vm/machine.sh
. "$vm/machine.sh"

usage() {
  cat <<'USAGE'
Usage: ./percpu vm-test [OPTION...]

Boots a Debian kernel in an emulated machine, runs the core's tests and the stress program there, and tells what
came of it. The exit status is 0 if all passed and something was run.

  --scenario NAME     what to run; may be given more than once; "suite" is the default
  --list              list the scenarios and end
  --check             only look whether the options are right
  --arch NAME         x86_64 or aarch64; this machine's is the default
  --kernel VERSION    the newest Debian 13 has of it, from the backports if need be; 6.12 is the default
  --cpus N            how many CPUs; each scenario has a default
  --backend NAME      rseq or atomic; both is the default
  --only CLASSES      these tests, such as ExactnessTest,CpuGuardTest, instead of the scenario's
  --quick             without the test classes that start JVMs of their own, which take most of the time
  --effort X          how much the tests repeat that repeat something; 1 is a build's, 0.02 the default
  --stress-seconds N  how long the stress program runs; 15 is the default
  --timeout N         seconds after which a machine is switched off; 1200 is the default
  --help              this text

The packages are kept in ${XDG_CACHE_HOME:-~/.cache}/percpu/vm. Remove that directory to have newer ones.
USAGE
}

# Sets what a scenario sets: about, cpus, memory, qemu_options, kernel_options, broken_cpus; inside(), what the virtual
# machine does, and outside(), what this one does for it.
load() {
  qemu_options='' kernel_options='' broken_cpus=''
  outside() { :; }
  # shellcheck source=vm/scenarios/suite.sh
  . "$vm/scenarios/$1.sh"
}

list() {
  local file name
  for file in "$vm"/scenarios/*.sh; do
    name=$(basename "$file" .sh)
    load "$name"
    # shellcheck disable=SC2154
    printf '%-10s %s\n' "$name" "$about"
  done
}

# The root directory's second part: what was built, and what is to be done.
pack() {
  local scenario=$1 directory=$2
  local tree=$directory/tree
  mkdir -p "$tree/vm" "$tree/percpu/target"
  ln -s "$vm/init" "$tree/init"
  ln -s "$vm/scenarios/$scenario.sh" "$tree/vm/scenario.sh"
  ln -s "$root/core/target/classes" "$root/core/target/test-classes" "$tree/percpu/target"
  ln -s "$root/core/target/test-libraries" "$tree/percpu/lib"
  ln -s "$root/stress/target/stress.jar" "$tree/percpu/stress.jar"
  outside "$tree"
  cat >"$tree/vm/options.sh" <<OPTIONS
backends='$backends'
classes='${classes//,/|}'
without='$without'
effort='$effort'
stress_seconds='$stress_seconds'
OPTIONS
  (cd "$tree" && find -L . | LC_ALL=C sort | cpio -o -L -H newc --quiet)
}

# The test classes whose sources have what a regular expression describes, as a regular expression.
classes_with() {
  { grep -rlzE "$1" "$root/core/src/test/java" || (($? == 1)); } | sed 's|.*/||; s|[.]java$||' | paste -sd '|'
}

# The tests in a log that failed, each with the first lines of the reason, and the last lines of each program that
# failed. A reader of CI's output has no log.
reasons() {
  awk '/ :: (FAILED|ABORTED|SKIPPED)/ { left = 16 }
    / :: (STARTED|SUCCESSFUL)$/ { left = 0 }
    left-- > 0 { print "    " $0 }
    !/^vm-test: / { line[lines++ % 16] = $0 }
    /^vm-test: .*: 0 passed, 1 failed, / {
      for (i = lines > 16 ? lines - 16 : 0; i < lines; i++) print "    " line[i % 16]
    }
    /^vm-test: / { lines = 0 }' "$1"
}

# Runs one scenario in a directory, and adds what it counted to passed and failed.
run() {
  local scenario=$1 directory=$2 name good bad status=0 failed_before=$failed classes
  classes=${only:-$(classes_with "@VmTest\\([^)]*\"$scenario\"")}
  load "$scenario"
  rm -rf "$directory"
  mkdir -p "$directory"
  fetch "$arch" "$kernel"
  pack "$scenario" "$directory" | cat "$cache/$arch/root.cpio" - >"$directory/initrd"
  printf '%s on %s: Linux %s, %s CPUs\n' "$scenario" "$arch" "$kernel" "${cpus_wanted:-$cpus}"

  # shellcheck disable=SC2154
  boot "$arch" "$cache/$arch/kernel-$kernel" "$directory/initrd" "${cpus_wanted:-$cpus}" "$memory" "$timeout" \
    "$directory" || status=$?
  rm -rf "$directory/initrd" "$directory/tree"
  mkdir "$directory/results"
  tar -x -C "$directory/results" -f "$directory/results.tar" 2>/dev/null || true
  if [[ ! -e $directory/results/complete ]]; then
    say "the virtual machine ended without a result. The end of $directory/console.log:"
    tail -n 15 "$directory/console.log" >&2 || true
    say "the end of $directory/log:"
    tail -n 15 "$directory/log" >&2
    failed=$((failed + 1))
    return
  fi
  ((status == 0)) || failed=$((failed + 1))
  while read -r good bad name; do
    passed=$((passed + good)) failed=$((failed + bad))
    ((bad == 0)) || printf '  failed: %s; see %s/log\n' "$name" "$directory"
  done <"$directory/results/summary"
  ((failed == failed_before)) || reasons "$directory/log"
}

arch=$(uname -m) kernel=6.12 backends='rseq atomic' only='' effort=0.02 stress_seconds=15 timeout=1200 cpus_wanted=''
without='' check=''
scenarios=()
while (($# > 0)); do
  case $1 in
    --help | -h)
      usage
      exit
      ;;
    --list)
      list
      exit
      ;;
    --check)
      check=1
      shift
      continue
      ;;
    --quick)
      without=$(classes_with 'new Jvm\(\)|Jvm\.asHere\(\)')
      shift
      continue
      ;;
  esac
  (($# > 1)) || die "unknown option, or one that lacks its value: $1; see ./percpu vm-test --help" 2
  case $1 in
    --scenario) scenarios+=("$2") ;;
    --arch) arch=$2 ;;
    --kernel) kernel=$2 ;;
    --cpus) cpus_wanted=$2 ;;
    --backend) backends=$2 ;;
    --only) only=$2 ;;
    --effort) effort=$2 ;;
    --stress-seconds) stress_seconds=$2 ;;
    --timeout) timeout=$2 ;;
    *) die "unknown option: $1; see ./percpu vm-test --help" 2 ;;
  esac
  shift 2
done
[[ $arch == x86_64 || $arch == aarch64 ]] || die "--arch is x86_64 or aarch64, not \"$arch\"" 2
[[ $kernel =~ ^[0-9]+\.[0-9]+$ ]] || die "--kernel is a version such as 6.12, not \"$kernel\"" 2
[[ $cpus_wanted =~ ^([1-9][0-9]*)?$ ]] || die "--cpus is a whole number from 1, not \"$cpus_wanted\"" 2
[[ $backends =~ ^(rseq|atomic|rseq atomic)$ ]] || die "--backend is rseq or atomic, not \"$backends\"" 2
[[ $only =~ ^[A-Za-z0-9_,]*$ ]] || die "--only takes names of test classes, not \"$only\"" 2
[[ $effort =~ ^[0-9]*\.?[0-9]+$ ]] || die "--effort is a number, not \"$effort\"" 2
[[ $stress_seconds =~ ^[1-9][0-9]*$ ]] || die "--stress-seconds is a whole number from 1, not \"$stress_seconds\"" 2
[[ $timeout =~ ^[1-9][0-9]*$ ]] || die "--timeout is a whole number from 1, not \"$timeout\"" 2
((${#scenarios[@]} > 0)) || scenarios=(suite)
for scenario in "${scenarios[@]}"; do
  [[ -e $vm/scenarios/$scenario.sh ]] || die "no scenario \"$scenario\"; see ./percpu vm-test --list" 2
done
[[ -z $check ]] || exit 0

passed=0 failed=0
for scenario in "${scenarios[@]}"; do
  directory=$root/target/vm/$scenario-$arch-$kernel
  # Each run begins by deleting the directory, so the lock is not in it.
  mkdir -p "$root/target/vm"
  exec 9>"$directory.lock"
  flock -n 9 || die "another run of this scenario is going on: it uses $directory"
  # Not for what is started: a machine that outlives this script must not keep the lock.
  run "$scenario" "$directory" 9>&-
done
((passed + failed > 0)) || die "nothing was run"
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
