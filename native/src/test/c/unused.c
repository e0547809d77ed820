/* A program that includes the header, and has no variables yet. */
#include "percpu.h"

int main(void)
{
	return 0;
}
