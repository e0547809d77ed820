# shellcheck shell=dash disable=SC2034,SC2154
about="what depends on the kernel, the processor or the number of CPUs: the tests and the stress program"
cpus=4
memory=3G

inside() {
  halved_suite rseq
  stress rseq
}
