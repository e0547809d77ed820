/*
 * Compiled with -DPAUSE=200, say, every sequence waits for so many rounds between any two of its steps, and so does an
 * atomic update; so nearly every preemption hits one. The aborts are counted.
 */
#ifndef PAUSES_H
#define PAUSES_H

#include <stdint.h>

#ifdef PAUSE
#define PAUSE_TEXT_(rounds) #rounds
#define PAUSE_TEXT(rounds) PAUSE_TEXT_(rounds)
#if defined(__x86_64__)
#define PERCPU_TEST_PAUSE "movl $" PAUSE_TEXT(PAUSE) ", %%r11d\n77:\tdecl %%r11d\n\tjnz 77b\n\t"
#define PERCPU_TEST_ABORT "lock incq test_aborts(%%rip)\n\t"
#elif defined(__aarch64__)
#define PERCPU_TEST_PAUSE "mov x11, " PAUSE_TEXT(PAUSE) "\n77:\tsubs x11, x11, #1\n\tb.ne 77b\n\t"
#define PERCPU_TEST_ABORT                                                                                              \
	"adrp x9, test_aborts\n\tadd x9, x9, :lo12:test_aborts\n"                                                      \
	"78:\tldxr x10, [x9]\n\tadd x10, x10, #1\n\tstxr w11, x10, [x9]\n\tcbnz w11, 78b\n\t"
#else
#error "pauses.h needs a pause and a counter of aborts for this processor architecture"
#endif
#define PERCPU_TEST_UPDATE()                                                                                           \
	do                                                                                                             \
		for (volatile int left = PAUSE; left > 0; left--)                                                      \
			;                                                                                              \
	while (0)
#endif

#ifdef __cplusplus
extern "C"
#endif
	__attribute__((visibility("hidden"))) uint64_t test_aborts;

#endif
