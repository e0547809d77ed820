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

#endif
