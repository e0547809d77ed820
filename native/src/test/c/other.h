/* What the two files of a program share. */
#include "percpu.h"

DECLARE_PER_CPU(long, of_both);

PERCPU_C_LINKAGE void update_in_other(void);

/* Whether this thread holds the guard of a CPU already. */
PERCPU_C_LINKAGE int nests_in_other(unsigned cpu);
