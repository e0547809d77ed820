package dev.percpu.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.internal.area.WidthAccess;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.code.Catalogue;
import dev.percpu.internal.code.Instrumentation;
import dev.percpu.internal.code.Op;
import dev.percpu.internal.linux.RseqRegistration;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Disturbance;
import dev.percpu.testing.Effort;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.Workers;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The sequences with a delay between any two steps, so that threads are preempted, moved and signalled inside them all
 * the time, and a count of the aborts, so that each test goes on until there were a thousand.
 *
 * <p>This file is longer than others: each protocol has its test here, as all need the same disturbance.
 */
@Tag("rseq")
@VmTest("machine")
class DelayedSequencesTest {
    private static final int THREADS = 6;

    /** Rounds of the empty loop between two steps: about a microsecond. */
    private static final int DELAY = 1_000;

    /** An emulated machine makes forty, however few a build makes; the same goes for the aborts. */
    private static final int LEAST_ROUNDS = Math.max(40, Effort.scaled(1_000));

    private static final int ENOUGH_ABORTS = Math.max(40, Effort.scaled(1_000));

    private final long position = Area.allocate(64, 64, "DelayedSequencesTest");
    private final long abortCounter = Area.offset(Area.CPUS, position + 56);
    private final Sequences sequences = Sequences.emit(
            RseqRegistration.read(),
            new Instrumentation(DELAY, Area.address(Area.CPUS, position + 56)),
            Catalogue.entries());

    private final Numbers numbers = Numbers.Rseq.link(sequences);
    private final NumberPairs pairs = NumberPairs.Rseq.link(sequences);
    private final GatedNumbers gated = GatedNumbers.Rseq.link(sequences);
    private final CpuTallies tallies = CpuTallies.Rseq.link(sequences);
    private final Credits credits = Credits.Rseq.link(sequences);
    private final Stacks stacks = Stacks.Rseq.link(sequences);
    private final GuardWords guardWords = GuardWords.Rseq.link(sequences);

    /** What one thread does again and again. */
    @FunctionalInterface
    private interface Step {
        void run(int thread, long round);
    }

    @Test
    void additionsOfEveryWidth() throws InterruptedException {
        long rounds = disturbed((thread, round) -> {
            numbers.update(Op.ADD, NumericWidth.LONG, position, 1, 0);
            numbers.update(Op.ADD, NumericWidth.INT, position + 8, 3, 0);
            numbers.update(Op.ADD, NumericWidth.SHORT, position + 12, 5, 0);
            numbers.update(Op.ADD, NumericWidth.BYTE, position + 14, 7, 0);
            numbers.update(Op.ADD_DOUBLE, NumericWidth.LONG, position + 16, Double.doubleToRawLongBits(0.5), 0);
        });
        assertThat(sum(NumericWidth.LONG, 0)).isEqualTo(rounds);
        assertThat(sum(NumericWidth.INT, 8)).isEqualTo(NumericWidth.INT.wrap(3 * rounds));
        assertThat(sum(NumericWidth.SHORT, 12)).isEqualTo(NumericWidth.SHORT.wrap(5 * rounds));
        assertThat(sum(NumericWidth.BYTE, 14)).isEqualTo(NumericWidth.BYTE.wrap(7 * rounds));
        double doubles = 0;
        for (int cpu = 0; cpu <= Area.CPUS; cpu++) {
            doubles += Double.longBitsToDouble(WidthAccess.get(NumericWidth.LONG, Area.offset(cpu, position + 16)));
        }
        assertThat(doubles).isEqualTo(0.5 * rounds);
    }

    /** Each value put in is taken out by somebody, or is still there: none twice, and none lost. */
    @Test
    void exchanges() throws InterruptedException {
        AtomicLong in = new AtomicLong();
        AtomicLong out = new AtomicLong();
        disturbed((thread, round) -> {
            long value = round * THREADS + thread;
            in.addAndGet(value);
            out.addAndGet(numbers.update(Op.XCHG, NumericWidth.LONG, position, value, 0));
        });
        assertThat(out.get() + sum(NumericWidth.LONG, 0)).isEqualTo(in.get());
    }

    @Test
    void comparesAndExchanges() throws InterruptedException {
        long rounds = disturbed((thread, round) -> {
            long seen = numbers.update(Op.READ, NumericWidth.INT, position, 0, 0);
            for (long found;
                    (found = numbers.update(Op.CMPXCHG, NumericWidth.INT, position, seen + 1, seen)) != seen; ) {
                seen = found;
            }
        });
        assertThat(sum(NumericWidth.INT, 0)).isEqualTo(rounds);
    }

    /** Each bit is set once, on one CPU, and another one cleared once: as many are set and clear in the end. */
    @Test
    void bits() throws InterruptedException {
        // Ten bits a thread in each: enough for whatever pace the machine has.
        int words = Math.max(40_000, Effort.scaled(400_000));
        int bitsPerThread = Long.SIZE / THREADS;
        int bytes = 2 * words * Long.BYTES;
        long set = Area.allocate(bytes, Long.BYTES, "DelayedSequencesTest");
        long cleared = set + bytes / 2;
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            Area.slice(cpu, cleared, bytes / 2).fill((byte) -1);
        }
        long rounds = disturbed((thread, round) -> {
            // All threads work on the same words, each with bits of its own.
            assertThat(round).as("a thread has used all of its bits").isLessThan((long) words * bitsPerThread);
            long at = round % words * Long.BYTES;
            int number = thread * bitsPerThread + (int) (round / words);
            long bit = 1L << number;
            numbers.update(Op.OR, NumericWidth.LONG, set + at, bit, 0);
            numbers.update(Op.AND, NumericWidth.LONG, cleared + at, ~bit, 0);
        });
        long ones = 0;
        long zeros = 0;
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            for (int word = 0; word < words; word++) {
                ones += Long.bitCount(WidthAccess.get(NumericWidth.LONG, Area.offset(cpu, set + word * 8L)));
                zeros += Long.bitCount(~WidthAccess.get(NumericWidth.LONG, Area.offset(cpu, cleared + word * 8L)));
            }
        }
        Area.free(set, bytes);
        assertThat(ones).isEqualTo(rounds);
        assertThat(zeros).isEqualTo(rounds);
    }

    /** Owners, guarded sequences and owners from other CPUs at once, on two plain numbers. */
    @Test
    void ownersAndGuardedSequences() throws InterruptedException {
        long rounds = disturbed((thread, round) -> {
            long me = Thread.currentThread().threadId();
            while (!numbers.updateUnlessGuarded(Op.ADD, NumericWidth.LONG, position, 1)) {
                Thread.onSpinWait();
            }
            int cpu = round % 8 == 0 ? ownRemote(me, (int) (round / 8 % Area.CPUS)) : ownLocal(me);
            for (long at = 0; at <= 8; at += 8) {
                long offset = Area.offset(cpu, position + at);
                Area.LONG.set(Area.MEMORY, offset, (long) Area.LONG.get(Area.MEMORY, offset) + 1);
            }
            Area.LONG.setRelease(Area.MEMORY, Area.offset(cpu, CpuHeader.GUARD_WORD), 0L);
        });
        assertThat(sum(NumericWidth.LONG, 0)).isEqualTo(2 * rounds);
        assertThat(sum(NumericWidth.LONG, 8)).isEqualTo(rounds);
    }

    @Test
    void pairsOfAdditions() throws InterruptedException {
        long rounds = disturbed((thread, round) -> pairs.add(position, 1, position + 8, 3));
        assertThat(sum(NumericWidth.LONG, 0)).isEqualTo(rounds);
        assertThat(sum(NumericWidth.LONG, 8)).isEqualTo(3 * rounds);
    }

    @Test
    void pairsOfADoubleAndALong() throws InterruptedException {
        long rounds = disturbed((thread, round) -> pairs.addLongAndDouble(position, 1, position + 8, 0.5));
        assertThat(sum(NumericWidth.LONG, 0)).isEqualTo(rounds);
        assertThat(Sums.sumOfDoubles(position + 8, 0)).isEqualTo(0.5 * rounds);
    }

    @Test
    void additionsWithinABound() throws InterruptedException {
        AtomicLong added = new AtomicLong();
        disturbed((thread, round) -> {
            long delta = (round + thread) % 7 - 3;
            if (credits.add(position, delta, 10, 0)) {
                added.addAndGet(delta);
            }
        });
        assertThat(sum(NumericWidth.LONG, 0)).isEqualTo(added.get());
        for (int cpu = 0; cpu <= Area.CPUS; cpu++) {
            assertThat(WidthAccess.get(NumericWidth.LONG, Area.offset(cpu, position)))
                    .isBetween(0L, 10L);
        }
    }

    /** What was added is in one of the sums, whenever the tally is closed. */
    @Test
    void aTallyThatIsClosedAgainAndAgain() throws InterruptedException {
        AtomicLong added = new AtomicLong();
        AtomicLong closed = new AtomicLong();
        disturbed((thread, round) -> {
            if (thread == 0 && round % 16 == 0) {
                closed.addAndGet(ProtocolsTest.close(tallies, position));
                assertThat(tallies.add(position, 1)).isFalse();
                tallies.open(position);
            } else if (tallies.add(position, 1)) {
                added.incrementAndGet();
            }
        });
        assertThat(closed.get() + ProtocolsTest.close(tallies, position)).isEqualTo(added.get());
    }

    /** What was added behind a gate is in one of the sums, whenever the gate is shut; what was refused in none. */
    @Test
    void numbersThatAreTakenAgainAndAgain() throws InterruptedException {
        long second = position + 16;
        AtomicLong added = new AtomicLong();
        AtomicLong exchanged = new AtomicLong();
        AtomicLong taken = new AtomicLong();
        AtomicLong takenOfSecond = new AtomicLong();
        disturbed((thread, round) -> {
            if (thread == 0 && round % 16 == 0) {
                gated.shut(position);
                gated.shut(second);
                assertThat(gated.addDouble(position, Double.doubleToRawLongBits(1)))
                        .isFalse();
                assertThat(gated.compareAndSet(second, 0, 1)).isFalse();
                for (int cpu = 0; cpu < Area.CPUS; cpu++) {
                    taken.addAndGet((long) Double.longBitsToDouble(Gate.exchange(cpu, position, 0)));
                    takenOfSecond.addAndGet(Gate.exchange(cpu, second, 0));
                }
                Gate.set(position, 0);
                Gate.set(second, 0);
            } else {
                if (gated.addDouble(position, Double.doubleToRawLongBits(1))) {
                    added.incrementAndGet();
                }
                long seen = numbers.update(Op.READ, NumericWidth.LONG, second, 0, 0);
                if (gated.compareAndSet(second, seen, seen + 3)) {
                    exchanged.addAndGet(3);
                }
            }
        });
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            taken.addAndGet((long) Double.longBitsToDouble(Gate.exchange(cpu, position, 0)));
        }
        assertThat(taken.get()).isEqualTo(added.get());
        assertThat(takenOfSecond.get() + credits.sum(second)).isEqualTo(exchanged.get());
    }

    /** Credits are taken as a whole while others spend and save, and nobody spends what lies above the limit. */
    @Test
    void creditsThatAreTakenAgainAndAgain() throws InterruptedException {
        AtomicLong saved = new AtomicLong();
        AtomicLong taken = new AtomicLong();
        Gate.set(position, 50);
        disturbed((thread, round) -> {
            if (thread == 0 && round % 16 == 0) {
                taken.addAndGet(credits.take(position));
                assertThat(credits.add(position, 1, 10, Long.MAX_VALUE - 1)).isFalse();
                assertThat(credits.sum(position)).isZero();
                Gate.set(position, 50);
            } else {
                assertThat(credits.add(position, 1, 10, 49))
                        .as("a limit below the gate")
                        .isFalse();
                long delta = (round + thread) % 7 - 3;
                if (credits.add(position, delta, 10, 50)) {
                    saved.addAndGet(delta);
                }
            }
        });
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            assertThat(WidthAccess.get(NumericWidth.LONG, Area.offset(cpu, position)))
                    .isBetween(0L, 10L);
        }
        assertThat(taken.get() + credits.take(position)).isEqualTo(saved.get());
    }

    /**
     * What is put in while the gate is up is still there when it comes down: the look and the spending are one step.
     */
    @Test
    void nobodySpendsWhatWasPutInAboveItsLimit() throws InterruptedException {
        disturbed((thread, round) -> {
            if (thread == 0 && round % 16 == 0) {
                credits.take(position);
                Gate.set(position, 1);
                long put = 0;
                for (int i = 0; i < 4; i++) {
                    put += credits.add(position, 2, 10, 1) ? 2 : 0;
                }
                long taken = credits.take(position);
                // Before the check: if it fails, the others go on, and need an open gate to end.
                Gate.set(position, 0);
                assertThat(taken).isEqualTo(put);
            } else {
                credits.add(position, round % 2 == 0 ? 1 : -1, 10, 0);
            }
        });
    }

    /** Items that travel between stacks, threads and owners from other CPUs: each is in one place at a time. */
    @Test
    void stacks() throws InterruptedException {
        int items = 64;
        int capacity = items / 2;
        long stack = Area.allocate((capacity + 1) * (long) Long.BYTES, Long.BYTES, "DelayedSequencesTest");
        AtomicIntegerArray holders = new AtomicIntegerArray(items);
        ConcurrentLinkedQueue<Long> elsewhere = new ConcurrentLinkedQueue<>();
        for (long item = 0; item < items; item++) {
            elsewhere.add(item);
        }
        disturbed((thread, round) -> {
            long item = round % 32 == 0 ? popFromOwned(stack, (int) (round / 32 % Area.CPUS)) : stacks.pop(stack);
            if (item < 0) {
                Long other = elsewhere.poll();
                if (other == null) {
                    return;
                }
                item = other;
            }
            assertThat(holders.incrementAndGet((int) item))
                    .as("holders of %d", item)
                    .isEqualTo(1);
            holders.decrementAndGet((int) item);
            if (!stacks.push(stack, item, capacity)) {
                elsewhere.add(item);
            }
        });
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            for (long item; (item = popFromOwned(stack, cpu)) >= 0; ) {
                elsewhere.add(item);
            }
        }
        assertThat(elsewhere).hasSize(items).doesNotHaveDuplicates();
        Area.free(stack, (capacity + 1) * (long) Long.BYTES);
    }

    private long popFromOwned(long stack, int cpu) {
        int owned = ownRemote(Thread.currentThread().threadId(), cpu);
        try {
            return stacks.popFrom(owned, stack);
        } finally {
            Area.LONG.setRelease(Area.MEMORY, Area.offset(owned, CpuHeader.GUARD_WORD), 0L);
        }
    }

    private int ownLocal(long me) {
        while (true) {
            int cpu = guardWords.tryAcquire(me);
            if (cpu >= 0) {
                return cpu;
            }
            Thread.onSpinWait();
        }
    }

    private int ownRemote(long me, int cpu) {
        while (!guardWords.tryAcquireOn(cpu, me)) {
            Thread.onSpinWait();
        }
        return cpu;
    }

    /** Runs the step in several threads until enough sections were aborted; returns how often it ran. */
    private long disturbed(Step step) throws InterruptedException {
        AtomicLong total = new AtomicLong();
        Disturbance.during(
                "delayed",
                4,
                () -> Workers.run("delayed-", THREADS, thread -> {
                    long round = 0;
                    for (; round < LEAST_ROUNDS || aborts() < ENOUGH_ABORTS; round++) {
                        step.run(thread, round);
                    }
                    total.addAndGet(round);
                }));
        return total.get();
    }

    private long aborts() {
        return (long) Area.LONG.getOpaque(Area.MEMORY, abortCounter);
    }

    private long sum(NumericWidth width, long at) {
        long sum = 0;
        for (int cpu = 0; cpu <= Area.CPUS; cpu++) {
            sum += WidthAccess.get(width, Area.offset(cpu, position + at));
        }
        return width.wrap(sum);
    }
}
