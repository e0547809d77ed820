# shellcheck shell=dash disable=SC2034,SC2154
about="the tests that show that the atomic back end starts and is exact"
cpus=4
memory=3G

# This back end has no sequences of its own. So a few classes show what there is to see on another machine.
inside() {
  halved_suite atomic
}
