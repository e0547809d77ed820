package dev.percpu.stress.subject;

import static dev.percpu.concurrent.PerCpuEvent.Argument.FIRST;
import static dev.percpu.concurrent.PerCpuEvent.Argument.SECOND;
import static dev.percpu.concurrent.PerCpuEvent.Argument.THIRD;

import dev.percpu.concurrent.EventBuilder;
import dev.percpu.concurrent.HistogramSnapshot;
import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import dev.percpu.concurrent.PerCpuEvent;
import dev.percpu.concurrent.PerCpuHistogram;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * Events whose variables are reset all the time. One event stays. Others are made, used and dropped, with their updates
 * in any order, so that tables come and go while other events are in use. Each update is done once.
 */
final class ResetEvents implements Subject {
    private static final int SIZES = 8;

    private static final int LONGEST_USE = 16;

    private final PerCpuCounter requests = new PerCpuCounter();
    private final PerCpuCounterArray sizes = new PerCpuCounterArray(SIZES);
    private final PerCpuHistogram latency =
            PerCpuHistogram.builder().highestTrackable(1_000_000).build();
    private final PerCpuAccumulator slowest = PerCpuAccumulator.maximum();
    private final PerCpuDoubleCounter halves = new PerCpuDoubleCounter();
    private final PerCpuEvent event;

    private final LongAdder recorded = new LongAdder();
    private final LongAdder sum = new LongAdder();
    private final LongAdder halvesAdded = new LongAdder();
    private final AtomicLong greatest = new AtomicLong();

    private final LongAdder requestsTaken = new LongAdder();
    private final LongAdder sizesTaken = new LongAdder();
    private final LongAdder latenciesTaken = new LongAdder();
    private final LongAdder latencySumTaken = new LongAdder();
    private final LongAdder halvesTaken = new LongAdder();
    private final LongAccumulator slowestTaken = new LongAccumulator(Long::max, 0);

    ResetEvents(RandomGenerator random) {
        event = event(_ -> {}, random);
    }

    @Override
    public int use(RandomGenerator random) {
        return switch (random.nextInt(32)) {
            case 0 -> reset();
            case 1 -> makeAndDrop(random);
            default -> record(event, random, random.nextInt(1, LONGEST_BURST));
        };
    }

    private int record(PerCpuEvent used, RandomGenerator random, int burst) {
        for (int i = 0; i < burst; i++) {
            long value = greatest.incrementAndGet();
            int half = random.nextInt(4);
            used.record(value & (SIZES - 1), value, half / 2.0);
            recorded.increment();
            sum.add(value);
            halvesAdded.add(half);
        }
        return burst;
    }

    /** The other event's own counter is dropped with it: what it has must be what was added, and not another's. */
    private int makeAndDrop(RandomGenerator random) {
        PerCpuCounter own = new PerCpuCounter();
        PerCpuEvent other = event(builder -> builder.increment(own), random);
        int burst = random.nextInt(1, LONGEST_USE);
        record(other, random, burst);
        Subject.expect("counter of an event of its own", burst, own.sum());
        return burst;
    }

    private PerCpuEvent event(Consumer<EventBuilder> more, RandomGenerator random) {
        List<Consumer<EventBuilder>> updates = new ArrayList<>(List.of(
                more,
                builder -> builder.increment(requests),
                builder -> builder.add(sizes, FIRST, SECOND),
                builder -> builder.record(latency, SECOND),
                builder -> builder.accumulate(slowest, SECOND),
                builder -> builder.add(halves, THIRD)));
        Collections.shuffle(updates, random);
        EventBuilder builder = PerCpuEvent.builder().name("event under stress");
        updates.forEach(update -> update.accept(builder));
        return builder.build();
    }

    private int reset() {
        requestsTaken.add(requests.sumThenReset());
        for (long size : sizes.sumsThenReset()) {
            sizesTaken.add(size);
        }
        HistogramSnapshot snapshot = latency.snapshotThenReset();
        latenciesTaken.add(snapshot.count());
        latencySumTaken.add(snapshot.sum());
        slowestTaken.accumulate(slowest.getThenReset());
        halvesTaken.add((long) (2 * halves.sumThenReset()));
        return SIZES + 4;
    }

    @Override
    public void verify() {
        reset();
        Subject.expect("requests", recorded.sum(), requestsTaken.sum());
        Subject.expect("sum of sizes", sum.sum(), sizesTaken.sum());
        Subject.expect("latencies", recorded.sum(), latenciesTaken.sum());
        Subject.expect("sum of latencies", sum.sum(), latencySumTaken.sum());
        Subject.expect("halves", halvesAdded.sum(), halvesTaken.sum());
        if (greatest.get() > 0) {
            Subject.expect("slowest", greatest.get(), slowestTaken.get());
        }
    }
}
