/* ---------------------------------------------------------------------------------------------------------------- *
 * What a library has in memory: the description of each variable, which Java reads, and what there is once in a library
 * ---------------------------------------------------------------------------------------------------------------- */

#define PERCPU_MAGIC 0x75706370U
/*
 * Java reads only this version: what it knows of a library are the two structures below, share(), the guard word and
 * the count behind it. A change of one of these needs a new version, here and in Java's NativeVariable.
 */
#define PERCPU_VERSION 4U

/* The files of one library share functions too, so they need the same text. native/assemble puts its checksum here. */
#define PERCPU_CHECKSUM 0U

/* Describes a variable to Java, which knows the order of the fields. */
struct percpu_variable {
	uint32_t magic;
	uint32_t version;
	const volatile void *image;
	uint64_t size;
	struct percpu_library *library;
};

/* Where a library's variables are. The instance of a CPU is at (variable + delta + cpu * stride). */
struct percpu_library {
	/* Java reads these at any time. */
	const char *start;
	const char *stop;
	const char *file;
	int (*share)(uint64_t area, uint64_t stride, uint64_t position, uint32_t cpus, const uint64_t *possible,
		     uint32_t mode, uint32_t stays);

	uint32_t state;
	uint32_t mode;
	/* Java reads these after share() has answered PERCPU_SHARED_BEFORE or PERCPU_LENT. */
	uint64_t area;   /* CPU 0's place, which begins with CPU 0's guard word */
	uint64_t stride; /* from one CPU's place to the next; a power of two */
	uint64_t delta;
	/*
	 * The same as `area` while a copy of dev.percpu uses that area; 0 in an area of this library's own, and once
	 * the copy of dev.percpu has been unloaded. That copy stores the 0 here before it unmaps the rest of its area.
	 */
	uint64_t lender;
	uint32_t count; /* of CPUs that have a place; behind them is the spare place, for threads without a CPU id */
	uint32_t moves; /* how often the five fields above have changed, or begun to */

	/*
	 * How many threads are in each of the slow functions now, wait until the variables have a place, and are in the
	 * middle of a fork. percpu_count_in() says what is in the upper half.
	 */
	uint64_t updating __attribute__((__aligned__(64)));
	uint64_t acquiring;
	uint64_t waiting;
	uint64_t forking;
	uint32_t moving; /* 1 while a thread copies the variables, or is about to: no thread forks then */
};

enum percpu_state {
	PERCPU_UNPLACED, /* no operation has been used yet */
	PERCPU_PLACING,  /* a thread places or copies the variables: no guard is held, and all others wait */
	PERCPU_MOVABLE,  /* the variables are in an area of this library, or of a copy of dev.percpu that may be unloaded */
	PERCPU_CLOSING,  /* still there, but about to move: owners keep their guards, and nobody gets a new one */
	PERCPU_SHARED    /* the variables are in Java's area, and stay there */
};

/* How numbers are updated. All threads must use the same way: an atomic addition and a sequence lose each other's. */
enum percpu_mode { PERCPU_SEQUENCES, PERCPU_ATOMICS };

/* The answers of share(). */
enum percpu_answer {
	PERCPU_SHARED_NOW,
	PERCPU_SHARED_BEFORE,
	PERCPU_GUARD_HELD,   /* by the thread that calls */
	PERCPU_OTHER_CPUS,   /* this library has found other CPUs possible than Java */
	PERCPU_NO_MEMBARRIER, /* the kernel refuses it */
	PERCPU_LENT,          /* by a copy of dev.percpu that may be unloaded, and then they can be shared again */
	PERCPU_BUSY           /* some thread does not come to the end of an operation or of a fork */
};

extern char __start_percpu_data[] __attribute__((__visibility__("hidden")));
extern char __stop_percpu_data[] __attribute__((__visibility__("hidden")));

/*
 * Defines an object, all 0, that exists once in a library. Of a weak object the linker keeps one symbol, but the bytes
 * of every file. So each of these is in a section group (COMDAT), and the linker keeps one group of each name. Clang
 * has a word for that. GCC has none in C, so there it is written in assembly language. With link-time optimization GCC
 * may assemble several files as one, in which the first definition counts.
 */
#ifdef __clang__
#define PERCPU_ONCE_AS(declaration, name, section, flags, type, alignment, bytes)                                      \
	__attribute__((__visibility__("hidden"), __selectany__, __aligned__(alignment))) declaration
#define PERCPU_ANCHOR_SECTION __attribute__((__section__("percpu_data")))
#else
#define PERCPU_ONCE_AS(declaration, name, section, flags, type, alignment, bytes)                                      \
	extern __attribute__((__visibility__("hidden"))) declaration;                                                  \
	__asm__(".ifndef " #name "\n\t"                                                                                \
		".pushsection " section ", \"" flags "G\", %" type ", " #name ", comdat\n\t"                           \
		".weak " #name "\n\t"                                                                                  \
		".hidden " #name "\n\t"                                                                                \
		".type " #name ", %object\n\t"                                                                         \
		".size " #name ", " PERCPU_TEXT(bytes) "\n\t"                                                          \
		".balign " #alignment "\n" #name ":\n\t"                                                               \
		".zero " PERCPU_TEXT(bytes) "\n\t"                                                                     \
		".popsection\n\t"                                                                                      \
		".endif")
#define PERCPU_ANCHOR_SECTION
#define PERCPU_TEXT(value) PERCPU_TEXT_(value)
#define PERCPU_TEXT_(value) #value
#endif
#define PERCPU_ONCE(declaration, name, bytes)                                                                          \
	PERCPU_ONCE_AS(declaration, name, ".bss." #name, "aw", "nobits", 64, bytes)
#define PERCPU_ONCE_IN_THREAD(declaration, name)                                                                       \
	PERCPU_ONCE_AS(PERCPU_TLS declaration, name, ".tbss." #name, "awT", "nobits", 8, 8)

/*
 * With this the section exists even in a library without variables. The constructor refers to it: with
 * --gc-sections, LLD removes an unused section although symbols name its ends.
 */
PERCPU_ONCE_AS(PERCPU_ANCHOR_SECTION char percpu_anchor[64], percpu_anchor, "percpu_data", "aw", "progbits", 64, 64);

/* The constructor stores the first four fields. */
#define PERCPU_LIBRARY_BYTES 192
PERCPU_ONCE(struct percpu_library percpu_library, percpu_library, PERCPU_LIBRARY_BYTES);
PERCPU_ASSERT(sizeof(struct percpu_library) == PERCPU_LIBRARY_BYTES, "percpu_library has the room that it needs");

/* The most CPUs that the kernel can be built for. A page of these tables takes memory only once it is written. */
#define PERCPU_MOST_CPUS 8192

/*
 * What the sequences read: the distance from a variable to the CPU's instance, and the address of the CPU's guard word.
 * An entry is 0 until there are places, while the variables move, and where there are no sequences. A sequence that
 * reads 0 leaves, and the thread calls the slow function.
 */
PERCPU_ONCE(uint64_t percpu_distances[PERCPU_MOST_CPUS], percpu_distances, 8 * PERCPU_MOST_CPUS);
PERCPU_ONCE(uint64_t percpu_guards[PERCPU_MOST_CPUS], percpu_guards, 8 * PERCPU_MOST_CPUS);

/* The possible CPUs, as a bit mask. It is known as soon as the variables have a place. */
PERCPU_ONCE(uint64_t percpu_possible[PERCPU_MOST_CPUS / 64], percpu_possible, PERCPU_MOST_CPUS / 8);

#ifdef __GLIBC__
/* With this model an access is one load. glibc reserves room for it, also in a library that is loaded later. */
#define PERCPU_TLS __attribute__((__tls_model__("initial-exec"))) __thread
#else
#define PERCPU_TLS __thread
#endif

/* What this thread stores in a guard word; 0 until a guard needs it. */
PERCPU_ONCE_IN_THREAD(int64_t percpu_thread, percpu_thread);

/* Prints a message and ends the process. It is for errors that the called function has no way to return. */
PERCPU_SLOW __attribute__((__noreturn__)) void percpu_fatal(const char *what);
