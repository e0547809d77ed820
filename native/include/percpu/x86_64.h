/* x86-64. The thread pointer is the fs segment's base, and the rseq area is at a constant distance from it. */

/*
 * PERCPU_BASELINE switches off what compilers use of newer processors: wide vectors, and instructions for bits. Most of
 * the vector extensions build on SSE3. "arch=x86-64" would not do: Clang keeps what -mavx2 added, and GCC 11 inlines
 * only between functions for one processor. Clang has a name for each part of APX. GCC has "no-apxf", but uses APX all
 * the same.
 */
#if defined(__APX_F__) && defined(__clang__)
#define PERCPU_NEWER ",no-egpr,no-push2pop2,no-ppx,no-ndd,no-ccmp,no-nf,no-cf,no-zu"
#else
#define PERCPU_NEWER ""
#endif
#define PERCPU_BASELINE                                                                                                \
	__attribute__((__target__("no-sse3,no-bmi,no-bmi2,no-lzcnt,no-popcnt,no-movbe,no-tbm" PERCPU_NEWER)))

#define PERCPU_SIGNATURE ".long 0x53053053"
#define PERCPU_JUMP "jmp"

#define PERCPU_CLOBBERS "rax", "r11", "cc", "memory"

/* The entry is in rax. The bound is compared unsigned: the ids -1 and -2, of threads without a CPU id, are above it. */
#define PERCPU_BEGIN(out, with_cpu)                                                                                    \
	PERCPU_DESCRIPTOR                                                                                              \
	"55:\n\t"                                                                                                      \
	"leaq 11b(%%rip), %%rax\n\t"                                                                                   \
	"movq %%rax, %%fs:8(%[rseq])\n"                                                                                \
	"22:\n\t"                                                                                                      \
	"movl %%fs:4(%[rseq]), %%eax\n\t" PERCPU_TEST_PAUSE                                                            \
	"cmpl %[bound], %%eax\n\t"                                                                                     \
	"jae " out "\n\t" PERCPU_TEST_PAUSE with_cpu                                                                   \
	"movq (%[table],%%rax,8), %%rax\n\t" PERCPU_TEST_PAUSE                                                         \
	"testq %%rax, %%rax\n\t"                                                                                       \
	"jz " out "\n\t" PERCPU_TEST_PAUSE

#define PERCPU_NOTE_UNDONE "xorl %k[done], %k[done]\n"
#define PERCPU_NOTE_DONE                                                                                               \
	"movl $1, %k[done]\n"                                                                                          \
	"66:\n\t"

#define PERCPU_OPERAND "er"

/*
 * Not "(%[image],%%rax)", though that would save an instruction. From a store to the next load of the same address,
 * processors since Golden Cove take no time if neither address has an index. With an index they take seven cycles, and
 * a loop that adds to one variable waits for them.
 */
#define PERCPU_FIND_INSTANCE "addq %[image], %%rax\n\t"

/* One instruction loads, computes and stores, and so it is the commit. */
#define PERCPU_DO(size, suffix, modifier, instruction)                                                                 \
	instruction suffix " %" modifier "[operand], (%%rax)\n"
#define PERCPU_DO_ADD(size, suffix, modifier) PERCPU_DO(size, suffix, modifier, "add")
#define PERCPU_DO_AND(size, suffix, modifier) PERCPU_DO(size, suffix, modifier, "and")
#define PERCPU_DO_OR(size, suffix, modifier) PERCPU_DO(size, suffix, modifier, "or")
#define PERCPU_DO_WRITE(size, suffix, modifier) PERCPU_DO(size, suffix, modifier, "mov")
#define PERCPU_DO_READ(size, suffix, modifier) "mov" suffix " (%%rax), %" modifier "[value]\n"
#define PERCPU_DO_ADD_RETURN(size, suffix, modifier)                                                                   \
	PERCPU_DO_READ(size, suffix, modifier)                                                                         \
	PERCPU_TEST_PAUSE                                                                                              \
	"add" suffix " %" modifier "[operand], %" modifier "[value]\n\t" PERCPU_TEST_PAUSE                             \
	"mov" suffix " %" modifier "[value], (%%rax)\n"
#define PERCPU_DO_CMPXCHG(size, suffix, modifier)                                                                      \
	PERCPU_DO_READ(size, suffix, modifier)                                                                         \
	PERCPU_TEST_PAUSE                                                                                              \
	"cmp" suffix " %" modifier "[expected], %" modifier "[value]\n\t"                                              \
	"jne 33f\n\t" PERCPU_TEST_PAUSE                                                                                \
	PERCPU_DO_WRITE(size, suffix, modifier)

#define PERCPU_KEEP_CPU "movl %%eax, %k[cpu]\n\t"

/* On this architecture every load is a load-acquire. */
#define PERCPU_DO_ACQUIRE                                                                                              \
	"movq %%rax, %[word]\n\t"                                                                                      \
	"cmpq $0, (%[word])\n\t"                                                                                       \
	"jne 66f\n\t" PERCPU_TEST_PAUSE                                                                                \
	"movq %[owner], (%[word])\n"

#define PERCPU_FOR_EACH_SIZE(define, ...)                                                                              \
	define(1, "b", "b", __VA_ARGS__) define(2, "w", "w", __VA_ARGS__)                                              \
	define(4, "l", "k", __VA_ARGS__) define(8, "q", "q", __VA_ARGS__)

#define PERCPU_LOAD_CPU_ID(id) __asm__ volatile("movl %%fs:4(%1), %0" : "=r"(id) : "r"(__rseq_offset))
#define PERCPU_LOAD_THREAD(value) (value = percpu_thread)
#define PERCPU_RELAX() __builtin_ia32_pause()

/*
 * From 6.19 to before 7.0.10. That is caution: aborts were reported lost on AArch64 (fixed by kernel commit
 * 411c1cf43039). Here the same change only left the area's cpu_id_start behind, which we do not read.
 */
#define PERCPU_LOSES_ABORTS(version) ((version) >= 6019000 && (version) < 7000010)
