/* ---------------------------------------------------------------------------------------------------------------- *
 * A place for the variables
 * ---------------------------------------------------------------------------------------------------------------- */

/*
 * Reads the kernel's list of possible CPUs, such as "0-3,8". Without sysfs each configured CPU is possible. Returns the
 * highest id + 1.
 */
PERCPU_SLOW uint32_t percpu_read_possible(void)
{
	char list[4096];
	const char *at = list;
	long length = -1;
	uint32_t count = 0;
	long file = percpu_syscall(SYS_openat, -100 /* AT_FDCWD */, "/sys/devices/system/cpu/possible", 02000000, 0);

	if (file >= 0) {
		length = percpu_syscall(SYS_read, file, list, sizeof(list) - 1);
		percpu_syscall(SYS_close, file);
	}
	if (length <= 0)
		snprintf(list, sizeof(list), "0-%ld", sysconf(_SC_NPROCESSORS_CONF) - 1);
	else
		list[length] = 0;
	while (*at >= '0' && *at <= '9') {
		char *end;
		unsigned long first = strtoul(at, &end, 10);
		unsigned long last = *end == '-' ? strtoul(end + 1, &end, 10) : first;

		for (; first <= last && first < PERCPU_MOST_CPUS; first++) {
			percpu_possible[first / 64] |= UINT64_C(1) << (first % 64);
			count = (uint32_t)first + 1;
		}
		at = *end == ',' ? end + 1 : end;
	}
	if (count == 0)
		percpu_fatal("the list of possible CPUs cannot be read");
	return count;
}

/* Copies only pages that differ: to write a page takes memory for it, and most pages are zero on both sides. */
PERCPU_SLOW void percpu_copy(char *to, const char *from, uint64_t bytes)
{
	for (uint64_t at = 0; at < bytes; at += 4096) {
		uint64_t part = bytes - at < 4096 ? bytes - at : 4096;

		if (memcmp(to + at, from + at, part) != 0)
			memcpy(to + at, from + at, part);
	}
}

#define PERCPU_BYTES ((uint64_t)(__stop_percpu_data - __start_percpu_data))

/* Stores each CPU's entry of a table: `first` for CPU 0, and `more` is added for each that follows; or 0 for all. */
PERCPU_SLOW void percpu_fill(uint64_t *table, uint32_t count, uint64_t first, uint64_t more)
{
	for (uint32_t cpu = 0; cpu < count; cpu++)
		__atomic_store_n(&table[cpu], first + cpu * more, __ATOMIC_RELEASE);
}

/*
 * Stores where the variables are, in the state PLACING, and then the new state. Sequences start to work with the
 * tables' entries, so these come last.
 */
PERCPU_SLOW void percpu_publish(const struct percpu_place *place, uint32_t mode, uint32_t state)
{
	__atomic_store_n(&percpu_library.area, place->area, __ATOMIC_RELAXED);
	__atomic_store_n(&percpu_library.stride, place->stride, __ATOMIC_RELAXED);
	__atomic_store_n(&percpu_library.delta, place->delta, __ATOMIC_RELAXED);
	__atomic_store_n(&percpu_library.count, place->count, __ATOMIC_RELAXED);
	__atomic_store_n(&percpu_library.mode, mode, __ATOMIC_RELAXED);
	if (mode == PERCPU_SEQUENCES) {
		percpu_fill(percpu_guards, place->count, place->area, place->stride);
		percpu_fill(percpu_distances, place->count, place->delta, place->stride);
	}
	__atomic_store_n(&percpu_library.state, state, __ATOMIC_SEQ_CST);
}

/* Where a CPU's instances begin. */
PERCPU_INLINE char *percpu_bytes(const struct percpu_place *place, uint32_t cpu)
{
	return (char *)((uint64_t)(uintptr_t)__start_percpu_data + place->delta + cpu * place->stride);
}

/* Copies the initial values to each possible CPU. The spare place stays 0, as sums add it to the others. */
PERCPU_SLOW void percpu_initialize(const struct percpu_place *place)
{
	for (uint32_t cpu = 0; cpu < place->count; cpu++)
		if (percpu_possible[cpu / 64] >> (cpu % 64) & 1)
			percpu_copy(percpu_bytes(place, cpu), __start_percpu_data, PERCPU_BYTES);
}

/* Tests name another kernel's version by this. */
#ifndef PERCPU_TEST_RELEASE
#define PERCPU_TEST_RELEASE NULL
#endif

/*
 * Whether this kernel may lose aborts: after a preemption that ends on the same CPU, some kernels let a sequence
 * continue where it was, instead of restarting it. Java's self-test finds out whether the kernel really does. Without a
 * JVM we cannot know, and use no sequences on such a version.
 */
PERCPU_SLOW int percpu_loses_aborts(void)
{
	char names[6][65] = {{0}}; /* struct utsname */
	const char *release = PERCPU_TEST_RELEASE;
	unsigned parts[3] = {0, 0, 0};
	unsigned version;

	percpu_syscall(SYS_uname, names);
	sscanf(release ? release : names[2], "%u.%u.%u", &parts[0], &parts[1], &parts[2]);
	version = (parts[0] * 1000 + parts[1]) * 1000 + parts[2];
	return PERCPU_LOSES_ABORTS(version);
}

#define PERCPU_HEADER 128 /* the guard word has its cache line alone, and the one that is fetched with it */
#define PERCPU_PAGE 4096
#define PERCPU_READ_WRITE 3 /* PROT_READ | PROT_WRITE */
#define PERCPU_RESERVED 0x4022 /* MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE */

/*
 * Makes an area of this library's own: a place for each CPU and the spare place. A page takes memory once it is
 * written.
 */
PERCPU_SLOW void percpu_place_own(void)
{
	struct percpu_place place;
	uint64_t start = (uint64_t)(uintptr_t)__start_percpu_data;
	uint64_t alignment = start & -start; /* at least what the linker gave to the section */
	uint64_t position;
	uint32_t mode = PERCPU_ATOMICS;
	uint64_t bytes;
	long area;

	if (alignment > PERCPU_PAGE)
		alignment = PERCPU_PAGE;
	position = (PERCPU_HEADER + alignment - 1) & -alignment;
	place.count = percpu_read_possible();
	place.stride = PERCPU_PAGE;
	while (place.stride < position + PERCPU_BYTES)
		place.stride *= 2;
	bytes = (place.count + 1) * place.stride;
	area = percpu_syscall(SYS_mmap, NULL, bytes, PERCPU_READ_WRITE, PERCPU_RESERVED, -1, 0);
	if (area == -1)
		percpu_fatal("there is no memory for the per-CPU variables");
	place.area = (uint64_t)area;
	place.delta = place.area + position - start;
	/* A kernel without huge pages refuses this, and then there are none to avoid. */
	percpu_syscall(SYS_madvise, area, bytes, 15 /* MADV_NOHUGEPAGE */);
#if PERCPU_RSEQ
	if (__rseq_size >= 16 && !percpu_loses_aborts() &&
	    percpu_syscall(SYS_membarrier, PERCPU_MEMBARRIER_REGISTER_RSEQ, 0, 0) == 0)
		mode = PERCPU_SEQUENCES;
#endif
	percpu_initialize(&place);
	percpu_publish(&place, mode, PERCPU_OWN);
}

/* Returns when the variables have a place: makes one, or waits for the thread that makes one or moves the variables. */
PERCPU_SLOW void percpu_settle(void)
{
	uint32_t unplaced = PERCPU_UNPLACED;
	uint64_t mask;

	PERCPU_BLOCK_SIGNALS(mask);
	if (__atomic_compare_exchange_n(&percpu_library.state, &unplaced, PERCPU_PLACING, 0, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST))
		percpu_place_own();
	PERCPU_RESTORE_SIGNALS(mask);
	for (int round = 0; __atomic_load_n(&percpu_library.state, __ATOMIC_ACQUIRE) == PERCPU_PLACING; round++)
		percpu_pause(round);
}
