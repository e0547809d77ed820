/*
 * The restartable sequence that adds to a per-CPU number of 64 bits, instruction for instruction as the library emits
 * it, but inlined in a loop, without call and return.
 *
 * Compiled with -DRSEQ_OFFSET=... (of struct rseq, from the thread pointer), -DCPUS=... and -DSHIFT=... (how far apart
 * two CPUs' slots are, as a power of two), so that they are constants, as they are in the library's code.
 */
#ifndef __x86_64__
#error "the sequence is written for x86-64 only"
#endif

#define RSEQ_SIGNATURE 0x53053053
#define RSEQ_CPU_ID (RSEQ_OFFSET + 4)
#define RSEQ_CS (RSEQ_OFFSET + 8)

/* Adds delta to the current CPU's slot, times times. Returns how often it did: less on a thread without a CPU id. */
long add_many(long *slots, long delta, long times)
{
	long done;

	for (done = 0; done < times; done++) {
		__asm__ goto (
			/* version and flags, start, length, and where to go on an abort */
			".pushsection __rseq_cs, \"aw\"\n\t"
			".balign 32\n"
			"1:\n\t"
			".long 0, 0\n\t"
			".quad 3f, 4f - 3f, 5f\n\t"
			".popsection\n"
			"2:\n\t"
			"leaq 1b(%%rip), %%rax\n\t"
			"movq %%rax, %%fs:%c[rseq_cs]\n"
			"3:\n\t"
			"movl %%fs:%c[cpu_id], %%r8d\n\t"
			"cmpl %[cpus], %%r8d\n\t"
			"jae %l[no_cpu]\n\t"
			"shlq %[shift], %%r8\n\t"
			"leaq (%[slots],%%r8), %%rax\n\t"
			"movq (%%rax), %%rcx\n\t"
			"addq %[delta], %%rcx\n\t"
			"movq %%rcx, (%%rax)\n"
			"4:\n\t"
			".pushsection __rseq_abort, \"ax\"\n\t"
			".long %c[signature]\n"
			"5:\n\t"
			"jmp 2b\n\t"
			".popsection\n"
			: /* asm goto has no outputs */
			: [slots] "r" (slots), [delta] "r" (delta), [cpus] "i" (CPUS), [shift] "i" (SHIFT),
			  [rseq_cs] "i" (RSEQ_CS), [cpu_id] "i" (RSEQ_CPU_ID), [signature] "i" (RSEQ_SIGNATURE)
			: "rax", "rcx", "r8", "cc", "memory"
			: no_cpu);
	}
no_cpu:
	return done;
}
