# shellcheck shell=bash
# The virtual machine as QEMU has it: emulated in every instruction, with a thread for each CPU.
# Sourced by vm-test.sh, which has die and say, and the scenario's qemu_options, kernel_options and broken_cpus.

# Writes the device tree that QEMU would give the kernel, but with CPUs that cannot be started, as no way to do it is
# told. The kernel gives ids to all, and takes those for impossible.
break_cpus() {
  local tree=$1 cpu
  shift
  "$@" -machine "dumpdtb=$tree" >/dev/null 2>&1
  for cpu in $broken_cpus; do
    fdtput -t s "$tree" "/cpus/cpu@$cpu" enable-method spin-table
  done
}

# How long a kernel may take until it runs its first program, in seconds. It takes 8 with 8 CPUs.
patience=300

# Waits until the first program has said something, or the machine has ended. Fails if neither comes.
begins() {
  local machine=$1 log=$2 end=$((SECONDS + patience))
  until [[ -s $log ]] || ! kill -0 "$machine" 2>/dev/null; do
    ((SECONDS < end)) || return 1
    sleep 0.5
  done
}

# Starts a machine and waits until it has switched itself off. Leaves in the directory console.log, what the kernel
# says; log, what the tests print; and results.tar. Says at once what in the log is meant for people.
boot() {
  local arch=$1 kernel=$2 initrd=$3 cpus=$4 memory=$5 timeout=$6 directory=$7 status=0 attempt
  local -a command
  case $arch in
    x86_64)
      command=(qemu-system-x86_64 -M q35 -cpu max)
      # The emulated time stamp counters agree. The kernel can't know, and would ask a slow device for the time.
      kernel_options="console=ttyS0 tsc=reliable $kernel_options"
      ;;
    aarch64)
      # The second of GIC's versions ends at 8 CPUs. Pointer authentication is slow to emulate, above all by the book,
      # and nothing here depends on it. Vectors of 2048 bits, which the C library would copy memory by, are slow too.
      # shellcheck disable=SC2054 # the commas are QEMU's
      command=(qemu-system-aarch64 -M virt,gic-version=3 -cpu "max,pauth=off,sve=off,sme=off")
      kernel_options="console=ttyAMA0 $kernel_options"
      ;;
  esac
  # Nobody here is kept from spying on anybody, and memory is not cleared twice: both cost more here than what they
  # go with.
  kernel_options="mitigations=off init_on_alloc=0 $kernel_options"
  command+=(
    -accel "tcg,thread=multi" -smp "$cpus" -m "$memory" -nodefaults -no-user-config -no-reboot -display none
    -serial "file:$directory/console.log"
    -device virtio-serial-pci
    -chardev "file,id=log,path=$directory/log" -device "virtserialport,chardev=log,name=log"
    -chardev "file,id=results,path=$directory/results.tar" -device "virtserialport,chardev=results,name=results"
    -kernel "$kernel" -initrd "$initrd" -append "$kernel_options rdinit=/init panic=-1"
  )
  # Words of the scenario's, without blanks in them.
  # shellcheck disable=SC2206
  command+=($qemu_options)

  if [[ $arch == aarch64 && -n $broken_cpus ]]; then
    break_cpus "$directory/device-tree" "${command[@]}"
    command+=(-dtb "$directory/device-tree")
  fi

  printf '%q ' "${command[@]}" >"$directory/command"
  : >"$directory/log"
  tail -n +1 -f "$directory/log" 2>/dev/null > >(sed -un 's/^vm-test: /  /p') &
  watcher=$!
  for attempt in 1 2; do
    timeout --kill-after=10 "$timeout" "${command[@]}" </dev/null >"$directory/qemu.log" 2>&1 &
    machine=$!
    # Whoever ends this script ends the machine.
    trap 'kill "$machine" "$watcher" 2>/dev/null' EXIT
    # One kernel in some hundreds hung before its first program: one of its CPUs never woke up again. Nothing of ours
    # has run then, so one more try hides no failure of ours.
    if ((attempt == 1)) && ! begins "$machine" "$directory/log"; then
      say "the kernel ran no program within $patience seconds; one more try. The end of what it said:"
      tail -n 40 "$directory/console.log" >&2
      # Bash would tell that the job was terminated.
      { kill "$machine" && wait "$machine"; } 2>/dev/null || true
      continue
    fi
    wait "$machine" || status=$?
    break
  done
  # What was written last must still be read.
  sleep 1
  kill "$watcher"
  trap - EXIT
  case $status in
    0) ;;
    124) say "the virtual machine was not done after $timeout seconds" ;;
    137) say "the virtual machine was killed: because it did not end after its $timeout seconds, or for lack of memory" ;;
    *) say "QEMU ended with status $status: $(tail -n 1 "$directory/qemu.log")" ;;
  esac
  return "$status"
}
