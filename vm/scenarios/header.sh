# shellcheck shell=dash disable=SC2034,SC2154,SC3043
about="percpu.h: the C programs that test it, without Java"
cpus=4
memory=1G

tests=/percpu/native

# Runs on the host: compiles the programs, linked with all that they need.
outside() {
  local tree=$1 compiler=gcc
  [ "$arch" = "$(uname -m)" ] || compiler=$arch-linux-gnu-gcc
  command -v "$compiler" >/dev/null || die "missing: $compiler"
  mkdir "$tree$tests"
  program "$tree" operations operations.c
  program "$tree" handlers handlers.c
  program "$tree" exactness exactness.c
  program "$tree" exactness-delayed exactness.c -DPAUSE=2000
  program "$tree" exactness-moving exactness.c -DPAUSE=2000 -DMOVE
  # So long that a move finds threads in the middle: with a tenth of it, no round showed that it does not wait for them.
  program "$tree" move move.c -DPAUSE=20000
  program "$tree" moved moved.c
  program "$tree" fibers fibers.c
  program "$tree" left left.c
  program "$tree" fork fork.c
}

program() {
  local tree=$1 name=$2 source=$3
  shift 3
  # The linker warns that a C library is wanted at run time for what it may load; none of these loads anything.
  "$compiler" -std=c11 -O2 -Wall -Wextra -D_GNU_SOURCE -static -pthread "-I$root/native/include" "$@" \
    -o "$tree$tests/$name" "$root/native/src/test/c/$source" 2>"$directory/compiler.log" ||
    die "$source could not be compiled; see $directory/compiler.log"
}

inside() {
  cd "$tests" || return
  check "each operation" ./operations
  check "signal handlers" ./handlers
  check "a thread that is moved" ./moved
  check "user-level threads" ./fibers
  check "an operation that was left" ./left
  check "exactness" ./exactness 10000
  check "exactness, with delays" ./exactness-delayed 1000
  check "exactness of guards, with delays" ./exactness-delayed 3000 guards
  check "exactness, moving" ./exactness-moving 1000
  check "moving in the middle of a sequence" ./move 100
  forks
  # As where the C library registers no thread.
  export GLIBC_TUNABLES=glibc.pthread.rseq=0
  check "each operation, atomically" ./operations
  check "a thread that is moved, atomically" ./moved
  check "user-level threads, atomically" ./fibers
  check "an operation that was left, atomically" ./left
  check "exactness, atomically" ./exactness 5000
  check "exactness, atomically, moving" ./exactness-moving 500
  check "moving, atomically" ./move 50
  forks
}

forks() {
  local what
  for what in another java own about-to-move move-begins move-looks fork-begins move-gave-up updates handler; do
    check "fork: $what" ./fork "$what"
  done
}
