/*
 * A driver, as a network card has one: threads of its own receive packets and count them. The program that loads it
 * reads the counters and adds to them. See DriverSample, which is that program, in Java.
 */
#include "percpu.h"

/* Counters, each updated by one sequence and protected by nothing. */
DEFINE_PER_CPU(long, packets) = 0;
DEFINE_PER_CPU(long, packet_bytes) = 0;
DEFINE_PER_CPU(int, errors) = 0;

/* Two fields that must agree, so the guard protects them. */
struct largest {
	long bytes;
	long number;
};

DEFINE_PER_CPU(struct largest, largest_packet) = {-1, -1};

#define MOST_RECEIVERS 64

struct receiver {
	pthread_t thread;
	long packets;
	long bytes;
	int errors;
	unsigned random;
};

static struct receiver receivers[MOST_RECEIVERS];

/* So large is the packet of a number; nobody has to look at a real one. */
static long size_of(unsigned random)
{
	return 64 + (random >> 8) % 1437;
}

static void *receive(void *argument)
{
	struct receiver *me = (struct receiver *)argument;

	for (long i = 0; i < me->packets; i++) {
		struct largest *largest;
		long size;

		me->random = me->random * 1103515245 + 12345;
		size = size_of(me->random);
		this_cpu_inc(packets);
		this_cpu_add(packet_bytes, size);
		me->bytes += size;
		if (size % 100 == 0) {
			this_cpu_inc(errors);
			me->errors++;
		}
		largest = get_cpu_ptr(&largest_packet);
		if (size > largest->bytes) {
			largest->bytes = size;
			largest->number = me->random;
		}
		put_cpu_ptr(largest);
	}
	return NULL;
}

/* Starts threads that receive so many packets each; -1 if that cannot be. */
int driver_start(int threads, long packets_each)
{
	if (threads < 1 || threads > MOST_RECEIVERS)
		return -1;
	for (int i = 0; i < threads; i++) {
		receivers[i].packets = packets_each;
		receivers[i].bytes = 0;
		receivers[i].errors = 0;
		receivers[i].random = (unsigned)i + 1;
		if (pthread_create(&receivers[i].thread, NULL, receive, &receivers[i]) != 0)
			return -1;
	}
	return 0;
}

/* What the threads counted by themselves, to compare with. */
struct driver_totals {
	long bytes;
	long errors;
};

/* Waits until they have received all of them. */
int driver_stop(int threads, struct driver_totals *totals)
{
	totals->bytes = 0;
	totals->errors = 0;
	for (int i = 0; i < threads; i++) {
		if (pthread_join(receivers[i].thread, NULL) != 0)
			return -1;
		totals->bytes += receivers[i].bytes;
		totals->errors += receivers[i].errors;
	}
	return 0;
}

/* The size of the packet with the number, so that Java can see whether the two fields agree. */
long driver_size_of(long number)
{
	return size_of((unsigned)number);
}
