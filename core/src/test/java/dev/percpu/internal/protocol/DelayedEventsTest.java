package dev.percpu.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.code.Catalogue;
import dev.percpu.internal.code.EventShape;
import dev.percpu.internal.code.EventShape.Update;
import dev.percpu.internal.code.Instrumentation;
import dev.percpu.internal.code.Op;
import dev.percpu.internal.code.ShapesUnderTest;
import dev.percpu.internal.linux.RseqRegistration;
import dev.percpu.testing.Disturbance;
import dev.percpu.testing.Effort;
import dev.percpu.testing.VmTest;
import dev.percpu.testing.WithoutCpuId;
import dev.percpu.testing.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntConsumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Events of generated shapes with a delay between any two steps of each section, so that threads are preempted, moved
 * and signalled inside them all the time. All update the same few numbers, and one thread takes those with a gate away
 * again and again. Each update must be in what was taken or in what is left, exactly once.
 */
@Tag("rseq")
@VmTest("machine")
class DelayedEventsTest {
    private static final int THREADS = 6;

    /** Rounds of the empty loop between two steps: about a microsecond. */
    private static final int DELAY = 1_000;

    private static final int LEAST_ROUNDS = Effort.scaled(1_000);
    private static final int ENOUGH_ABORTS = Effort.scaled(4_000);

    /** How many numbers side by side an element is chosen from. */
    private static final int ELEMENTS = 4;

    private final long numbers = Area.allocate(256, 64, "DelayedEventsTest");
    private final long sumOfDoubles = numbers + ELEMENTS * 8;
    private final long maximum = sumOfDoubles + Long.BYTES;
    private final long abortCounter = Area.offset(Area.SPARE, maximum + Long.BYTES);

    private final Sequences sequences = Sequences.emit(
            RseqRegistration.read(),
            new Instrumentation(DELAY, Area.address(Area.SPARE, maximum + Long.BYTES)),
            Catalogue.entries());
    private final Events events = Events.Rseq.link(sequences);
    private final GatedNumbers gated = GatedNumbers.Rseq.link(sequences);

    private final List<Events.Plan> plans = new ArrayList<>(ShapesUnderTest.generated(23, 20).stream()
            .map(shape -> events.plan(shape, words(shape)))
            .toList());
    private final LongAdder added = new LongAdder();
    private final LongAdder doublesAdded = new LongAdder();
    private final LongAccumulator greatest = new LongAccumulator(Long::max, 0);
    private final AtomicLong taken = new AtomicLong();
    private final AtomicLong doublesTaken = new AtomicLong();
    private final LongAccumulator greatestTaken = new LongAccumulator(Long::max, 0);
    private final AtomicLong next = new AtomicLong();

    @Test
    void everyUpdateIsDoneOnce() throws InterruptedException {
        everyUpdateIsDoneOnce(UnaryOperator.identity());
    }

    @Test
    void alsoThoseOfThreadsWithoutACpuId() throws InterruptedException {
        everyUpdateIsDoneOnce(WithoutCpuId::everySecond);
    }

    /** Only the first 256 shapes get code. The others' updates are done one by one. */
    @Test
    void moreShapesThanGetCode() throws InterruptedException {
        int without = 0;
        for (EventShape shape : ShapesUnderTest.generated(29, 400)) {
            Events.Plan plan = events.plan(shape, words(shape));
            assertThat(events.plan(shape, words(shape)).code().address())
                    .as("the code is emitted once")
                    .isEqualTo(plan.code().address());
            without += plan.code().address() == 0 ? 1 : 0;
            plans.add(plan);
        }
        assertThat(without).isBetween(100, 399);
        everyUpdateIsDoneOnce(UnaryOperator.identity());
    }

    private void everyUpdateIsDoneOnce(UnaryOperator<IntConsumer> threads) throws InterruptedException {
        IntConsumer task = threads.apply(thread -> {
            for (long round = 0; round < LEAST_ROUNDS || aborts() < ENOUGH_ABORTS; round++) {
                if (thread == 0 && round % 16 == 0) {
                    take();
                } else {
                    use(plans.get((int) ((thread + round) % plans.size())));
                }
            }
        });
        Disturbance.during("delayed", 4, () -> Workers.run("delayed-", THREADS, task));
        take();
        for (int place = 0; place <= Area.CPUS; place++) {
            for (int element = 0; element < ELEMENTS; element++) {
                taken.addAndGet(at(place, numbers + element * 8L));
            }
        }
        assertThat(taken.get()).isEqualTo(added.sum());
        assertThat(doublesTaken.get()).isEqualTo(doublesAdded.sum());
        assertThat(greatestTaken.get()).as("the greatest").isEqualTo(greatest.get());
    }

    /** What is behind a gate; all of it, for one that takes at a time. */
    private void take() {
        for (long position : new long[] {sumOfDoubles, maximum}) {
            gated.shut(position);
            for (int place = 0; place <= Area.CPUS; place++) {
                long number = Gate.exchange(place, position, 0);
                if (position == sumOfDoubles) {
                    doublesTaken.addAndGet((long) Double.longBitsToDouble(number));
                } else {
                    greatestTaken.accumulate(number);
                }
            }
            Gate.open(position);
        }
    }

    /**
     * All values of the call are small integers, so that they can be an index, a number, and the bits of a double, of
     * which they are the smallest ones there are. So doubles are added by the constant only.
     */
    private void use(Events.Plan plan) {
        long value = next.incrementAndGet() % ELEMENTS;
        for (Update update : plan.shape().updates()) {
            long operand = update.operand() == EventShape.NONE ? constant(update) : value;
            switch (update.op()) {
                case ADD -> added.add(operand);
                case ADD_DOUBLE -> doublesAdded.add(update.operand() == EventShape.NONE ? 3 : 0);
                default ->
                    greatest.accumulate(update.operand() == EventShape.NONE ? operand : operand ^ constant(update));
            }
        }
        events.update(plan, value, value, value, value, value);
    }

    private long[] words(EventShape shape) {
        long[] words = new long[shape.updates().size() * EventShape.WORDS];
        for (int i = 0; i < shape.updates().size(); i++) {
            Update update = shape.updates().get(i);
            words[i * EventShape.WORDS] = switch (update.op()) {
                case ADD -> numbers;
                case ADD_DOUBLE -> sumOfDoubles;
                default -> maximum;
            };
            words[i * EventShape.WORDS + 1] = constant(update);
        }
        return words;
    }

    private static long constant(Update update) {
        return update.op() == Op.ADD_DOUBLE ? Double.doubleToRawLongBits(3) : 5;
    }

    private long aborts() {
        return (long) Area.LONG.getOpaque(Area.MEMORY, abortCounter);
    }

    private static long at(int place, long position) {
        return (long) Area.LONG.getVolatile(Area.MEMORY, Area.offset(place, position));
    }
}
