# shellcheck shell=dash disable=SC2034,SC2154
about="64 CPUs: the tests of what depends on their number, and the stress program"
cpus=64
memory=6G

inside() {
  suite rseq
  stress rseq --threads 32
}
