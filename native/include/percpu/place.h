/* ---------------------------------------------------------------------------------------------------------------- *
 * A place for the variables
 * ---------------------------------------------------------------------------------------------------------------- */

#define PERCPU_READ_WRITE 3 /* PROT_READ | PROT_WRITE */
#define PERCPU_RESERVED 0x4022 /* MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE */

/*
 * Reads a list of CPUs such as "0-3,8" into percpu_possible. Returns the highest id + 1, or 0 if the text is no such
 * list: a sandbox can put anything in the place of the kernel's files. Java's CpuLists accepts the same texts.
 */
PERCPU_SLOW uint32_t percpu_read_list(const char *at)
{
	uint32_t count = 0;

	__builtin_memset(percpu_possible, 0, sizeof(percpu_possible));
	do {
		unsigned long first;
		unsigned long last;
		char *end;

		while (count == 0 && (*at == ' ' || *at == '\t'))
			at++;
		if (*at < '0' || *at > '9')
			return 0;
		first = last = strtoul(at, &end, 10);
		if (*end == '-') {
			if (end[1] < '0' || end[1] > '9')
				return 0;
			last = strtoul(end + 1, &end, 10);
		}
		if (last < first || last >= PERCPU_MOST_CPUS)
			return 0;
		for (; first <= last; first++)
			percpu_possible[first / 64] |= UINT64_C(1) << (first % 64);
		if (count < last + 1)
			count = (uint32_t)last + 1;
		at = end;
	} while (*at++ == ',');
	at--;
	while (*at == ' ' || *at == '\t' || *at == '\n')
		at++;
	return *at == 0 ? count : 0;
}

/* Reads a file as a text, which is empty if that is not possible. */
PERCPU_SLOW void percpu_read_file(const char *path, char *text, long size)
{
	long file = percpu_syscall(SYS_openat, -100 /* AT_FDCWD */, path, 02000000 /* O_CLOEXEC */, 0);
	long length = 0;
	long more = 1;

	while (file >= 0 && more > 0 && length < size - 1) {
		more = percpu_syscall(SYS_read, file, text + length, size - 1 - length);
		if (more > 0)
			length += more;
	}
	text[more < 0 ? 0 : length] = 0;
	if (file >= 0)
		percpu_syscall(SYS_close, file);
}

#define PERCPU_LONGEST_TEXT 65536

/*
 * Finds the possible CPUs. Returns the highest id + 1.
 *
 * If the kernel's list cannot be read, we assume the CPUs that the process may use and all below them, or as many as we
 * can count. Java's Topology assumes the same. Only a JVM that is told to use more CPUs than there are assumes more,
 * and then Java's answer counts as soon as the variables are shared.
 */
PERCPU_SLOW uint32_t percpu_find_possible(void)
{
	uint64_t allowed[PERCPU_MOST_CPUS / 64] = {0};
	uint32_t count = 0;
	uint32_t counted = 0;
	long memory = percpu_syscall(SYS_mmap, NULL, PERCPU_LONGEST_TEXT, PERCPU_READ_WRITE, PERCPU_RESERVED, -1, 0);

	if (memory != -1) {
		char *text = (char *)memory;
		char *list;

		percpu_read_file("/sys/devices/system/cpu/possible", text, PERCPU_LONGEST_TEXT);
		count = percpu_read_list(text);
		if (count == 0) {
			percpu_read_file("/proc/self/status", text, PERCPU_LONGEST_TEXT);
			list = __builtin_strstr(text, "\nCpus_allowed_list:");
			if (list) {
				list += __builtin_strlen("\nCpus_allowed_list:");
				list[__builtin_strcspn(list, "\n")] = 0;
				counted = percpu_read_list(list);
			}
		}
		percpu_syscall(SYS_munmap, text, PERCPU_LONGEST_TEXT);
	}
	if (count > 0)
		return count;
	percpu_syscall(SYS_sched_getaffinity, 0, sizeof(allowed), allowed);
	for (uint32_t cpu = 0; cpu < PERCPU_MOST_CPUS; cpu++)
		count += (uint32_t)percpu_is_in(allowed, cpu);
	if (count < counted)
		count = counted;
	if (count == 0)
		count = 1;
	__builtin_memset(percpu_possible, 0, sizeof(percpu_possible));
	for (uint32_t cpu = 0; cpu < count; cpu++)
		percpu_possible[cpu / 64] |= UINT64_C(1) << (cpu % 64);
	return count;
}

/* Copies only pages that differ: to write a page takes memory for it, and most pages are zero on both sides. */
PERCPU_SLOW void percpu_copy(char *to, const char *from, uint64_t bytes)
{
	for (uint64_t at = 0; at < bytes; at += 4096) {
		uint64_t part = bytes - at < 4096 ? bytes - at : 4096;

		if (__builtin_memcmp(to + at, from + at, part) != 0)
			__builtin_memcpy(to + at, from + at, part);
	}
}

#define PERCPU_BYTES ((uint64_t)(__stop_percpu_data - __start_percpu_data))

/* Stores each CPU's entry of a table: `first` for CPU 0, and `more` is added for each that follows; or 0 for all. */
PERCPU_SLOW void percpu_fill(uint64_t *table, uint32_t count, uint64_t first, uint64_t more)
{
	for (uint32_t cpu = 0; cpu < count; cpu++)
		__atomic_store_n(&table[cpu], first + cpu * more, __ATOMIC_RELEASE);
}

/* Lets all threads use the place where the variables are. Sequences start to work with the tables' entries. */
PERCPU_SLOW void percpu_open(const struct percpu_place *place, uint32_t state)
{
	if (percpu_library.mode == PERCPU_SEQUENCES) {
		percpu_fill(percpu_guards, place->count, place->area, place->stride);
		percpu_fill(percpu_distances, place->count, place->delta, place->stride);
	}
	__atomic_store_n(&percpu_library.state, state, __ATOMIC_SEQ_CST);
}

/* Stores where the variables are, in the state PLACING, and opens that place. */
PERCPU_SLOW void percpu_publish(const struct percpu_place *place, uint32_t mode, uint32_t state)
{
	__atomic_store_n(&percpu_library.area, place->area, __ATOMIC_RELEASE);
	__atomic_store_n(&percpu_library.stride, place->stride, __ATOMIC_RELEASE);
	__atomic_store_n(&percpu_library.delta, place->delta, __ATOMIC_RELEASE);
	__atomic_store_n(&percpu_library.lender, place->lender, __ATOMIC_RELEASE);
	__atomic_store_n(&percpu_library.count, place->count, __ATOMIC_RELEASE);
	__atomic_store_n(&percpu_library.mode, mode, __ATOMIC_RELAXED);
	percpu_open(place, state);
}

/* Where a CPU's instances begin. */
PERCPU_HELPER char *percpu_bytes(const struct percpu_place *place, uint32_t cpu)
{
	return (char *)((uint64_t)(uintptr_t)__start_percpu_data + place->delta + cpu * place->stride);
}

/*
 * Copies the initial values to each possible CPU from `first` on. The spare place stays 0: sums add it to the others.
 */
PERCPU_SLOW void percpu_initialize(const struct percpu_place *place, uint32_t first)
{
	for (uint32_t cpu = first; cpu < place->count; cpu++)
		if (percpu_is_in(percpu_possible, cpu))
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
	const char *release = PERCPU_TEST_RELEASE ? PERCPU_TEST_RELEASE : names[2];
	unsigned parts[3] = {0, 0, 0};
	unsigned version;

	percpu_syscall(SYS_uname, names);
	sscanf(release, "%u.%u.%u", &parts[0], &parts[1], &parts[2]);
	version = (parts[0] * 1000 + parts[1]) * 1000 + parts[2];
	/*
	 * The first two candidates of 7.1 have no fix on AArch64, so none is trusted. `__builtin_strstr`, since glibc's
	 * header may declare `strstr` as an inline function.
	 */
	if (version == 7001000)
		for (const char *rc = release; (rc = __builtin_strstr(rc, "rc")); rc += 2)
			if (rc[2] >= '0' && rc[2] <= '9')
				return 1;
	return PERCPU_LOSES_ABORTS(version);
}

#define PERCPU_HEADER 128 /* the guard word has its cache line alone, and the one that is fetched with it */
#define PERCPU_PAGE 4096

/*
 * Makes an area of this library's own: a place for each CPU and the spare place. A page takes memory once it
 * is written.
 */
PERCPU_SLOW int percpu_place_own(void)
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
	place.count = percpu_find_possible();
	place.stride = PERCPU_PAGE;
	while (place.stride < position + PERCPU_BYTES)
		place.stride *= 2;
	bytes = (place.count + 1) * place.stride;
	area = percpu_syscall(SYS_mmap, NULL, bytes, PERCPU_READ_WRITE, PERCPU_RESERVED, -1, 0);
	if (area == -1)
		return 0;
	place.area = (uint64_t)area;
	place.lender = 0;
	place.delta = place.area + position - start;
	/* A kernel without huge pages refuses this, and then there are none to avoid. */
	percpu_syscall(SYS_madvise, area, bytes, 15 /* MADV_NOHUGEPAGE */);
#if PERCPU_RSEQ
	if (__rseq_size >= 16 && !percpu_loses_aborts() &&
	    percpu_register_for_membarrier())
		mode = PERCPU_SEQUENCES;
#endif
	percpu_initialize(&place, 0);
	percpu_publish(&place, mode, PERCPU_MOVABLE);
	return 1;
}

/* Gives the variables a place, unless another thread has done so, or is about to. Returns 0 without memory. */
PERCPU_SLOW int percpu_try_place(void)
{
	uint32_t unplaced = PERCPU_UNPLACED;
	int placed = 1;
	uint64_t mask;

	PERCPU_BLOCK_SIGNALS(mask);
	if (__atomic_compare_exchange_n(&percpu_library.state, &unplaced, PERCPU_PLACING, 0, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST)) {
		placed = percpu_place_own();
		if (!placed)
			__atomic_store_n(&percpu_library.state, PERCPU_UNPLACED, __ATOMIC_SEQ_CST);
	}
	PERCPU_RESTORE_SIGNALS(mask);
	return placed;
}

/*
 * Gives the variables a place, or waits for the thread that does so, or that moves them. Returns 0 without memory.
 */
PERCPU_SLOW int percpu_try_settle(void)
{
	int placed = percpu_try_place();

	for (int round = 0; __atomic_load_n(&percpu_library.state, __ATOMIC_ACQUIRE) == PERCPU_PLACING; round++)
		percpu_pause(round);
	return placed;
}

/* The same for an operation that cannot do without a place. */
PERCPU_SLOW void percpu_settle(void)
{
	if (!percpu_try_settle())
		percpu_fatal("there is no memory for the per-CPU variables");
}
