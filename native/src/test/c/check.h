/* What the test programs have in common: a failed check says where, and ends the program. */
#ifndef CHECK_H
#define CHECK_H

#include "pauses.h"

#include "percpu.h"

#define CHECK_EQUAL(actual, expected)                                                                                  \
	do {                                                                                                           \
		long long actual_ = (long long)(actual);                                                               \
		long long expected_ = (long long)(expected);                                                           \
		if (actual_ != expected_) {                                                                            \
			fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #actual, actual_,         \
				expected_);                                                                            \
			exit(1);                                                                                       \
		}                                                                                                      \
	} while (0)

struct scenario {
	const char *name;
	void (*run)(void);
};

/* The main function of a program that runs the scenario that is named, and says so if it ends well. */
static inline int run_scenario(const struct scenario *scenarios, unsigned count, int argc, char **argv)
{
	for (unsigned i = 0; i < count; i++)
		if (argc > 1 && strcmp(argv[1], scenarios[i].name) == 0) {
			scenarios[i].run();
			printf("ok\n");
			return 0;
		}
	fprintf(stderr, "no such scenario\n");
	return 2;
}

#endif
