/* What the two files of a program share. */
#include "percpu.h"

DECLARE_PER_CPU(long, of_both);

void update_in_other(void);

/* Whether this thread holds the guard of a CPU already. */
int nests_in_other(unsigned cpu);
