# shellcheck shell=dash disable=SC2034,SC2154
about="the tests of what depends on the kernel, the processor or the number of CPUs"
cpus=4
memory=3G

inside() {
  halved_suite rseq
}
