package dev.percpu.stress.subject;

import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuEvent;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.random.RandomGenerator;

/**
 * Events of all shapes. Each is made, used by several threads at a time, and verified by the last of them. Others are
 * dropped with all their variables while they are in use, and new counters get their memory.
 */
final class EventsOfAnyShape implements Subject {
    private static final int SHAPES = 4;

    private final AtomicReferenceArray<Shared> shared = new AtomicReferenceArray<>(SHAPES);

    /** An event that threads use at the same time, and that the last one verifies. */
    private static final class Shared {
        private final RandomEvent event;

        /** How many threads use it, and one more until another one has replaced it. 0 once it is verified. */
        private final AtomicInteger users = new AtomicInteger(1);

        private Shared(RandomEvent event) {
            this.event = event;
        }

        private boolean enter() {
            return users.getAndUpdate(count -> count == 0 ? 0 : count + 1) > 0;
        }

        private void leave() {
            if (users.decrementAndGet() == 0) {
                event.verify();
            }
        }
    }

    EventsOfAnyShape(RandomGenerator random) {
        for (int i = 0; i < SHAPES; i++) {
            shared.set(i, new Shared(new RandomEvent(random)));
        }
    }

    @Override
    public int use(RandomGenerator random) {
        int slot = random.nextInt(SHAPES);
        int burst = random.nextInt(1, LONGEST_BURST);
        switch (random.nextInt(32)) {
            case 0 ->
                shared.getAndSet(slot, new Shared(new RandomEvent(random))).leave();
            case 1, 2 -> recordAndDrop(new RandomEvent(random), burst);
            default -> recordTogether(shared.get(slot), random, burst);
        }
        return burst;
    }

    private static void recordTogether(Shared used, RandomGenerator random, int burst) {
        if (used.enter()) {
            for (int i = 0; i < burst; i++) {
                used.event.record(random);
            }
            used.leave();
        }
    }

    /** Once the last record has begun, nothing but that call itself keeps the event and its variables. */
    private static void recordAndDrop(RandomEvent dropped, int burst) {
        recordAndDrop(dropped.event(), dropped.arguments(), burst);
        PerCpuCounter counter = new PerCpuCounter();
        for (int i = 0; i < burst; i++) {
            counter.increment();
        }
        Subject.expect("a new counter", burst, counter.sum());
    }

    private static void recordAndDrop(PerCpuEvent event, int arguments, int burst) {
        for (int i = 0; i < burst; i++) {
            RandomEvent.record(event, arguments, i % 4, i, i);
        }
    }

    @Override
    public void verify() {
        for (int i = 0; i < SHAPES; i++) {
            Shared last = shared.get(i);
            last.leave();
            Subject.expect("users of an event that nobody uses", 0, last.users.get());
        }
    }
}
