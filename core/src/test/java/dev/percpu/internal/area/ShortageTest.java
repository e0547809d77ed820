package dev.percpu.internal.area;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.Garbage;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.VmTest;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** How often the collector is asked for what is missing, with a clock that stands still. */
@VmTest("strict")
class ShortageTest {
    private static final long FULL = -1;

    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 10);
    private final AtomicLong given = new AtomicLong();
    private final Holdings holdings = new Holdings((position, bytes) -> given.addAndGet(bytes));
    private final Shortage shortage = new Shortage(holdings) {
        @Override
        long now() {
            return now.get();
        }
    };

    /** In a field, so that they stay. */
    private final List<Object> holders = new ArrayList<>();

    private long untilAllIsBack() {
        return given.get() < 800 ? FULL : given.get();
    }

    private long retryFor(long bytes) {
        return shortage.retry(this::untilAllIsBack, holdings.bytes(), bytes - given.get());
    }

    private void hold(int pieces) {
        for (int i = 0; i < pieces; i++) {
            Object holder = new Object();
            holders.add(holder);
            long position = 8L * i;
            holdings.hold(holder, 8, () -> position);
        }
        // Now they are old. A collection of young objects, which may come at any time, does not find them.
        System.gc();
    }

    @Test
    void aCollectionFindsWhatNobodyCanReach() {
        hold(100);
        holders.clear();
        assertThat(retryFor(800)).isEqualTo(800);
        assertThat(shortage.collections()).isEqualTo(1);
    }

    @Test
    void noneIsAskedForIfItCannotHelp() {
        hold(100);
        assertThat(retryFor(801)).isNegative();
        assertThat(shortage.collections()).isZero();
    }

    @Test
    void afterOneInVainThereIsNoneForAWhile() {
        hold(100);
        for (int i = 0; i < 1_000; i++) {
            assertThat(retryFor(8)).isNegative();
        }
        assertThat(shortage.collections()).isEqualTo(1);
        now.addAndGet(TimeUnit.SECONDS.toNanos(1) - 1);
        assertThat(retryFor(8)).isNegative();
        assertThat(shortage.collections()).isEqualTo(1);
        now.addAndGet(1);
        holders.clear();
        assertThat(retryFor(8)).isEqualTo(800);
        assertThat(shortage.collections()).isEqualTo(2);
    }

    /** The clock stands still otherwise; here each attempt takes a second, and there is one while it is measured. */
    @Test
    void afterALongOneInVainThereIsNoneForLonger() {
        hold(100);
        long found = shortage.retry(
                () -> {
                    now.addAndGet(TimeUnit.SECONDS.toNanos(1));
                    return FULL;
                },
                holdings.bytes(),
                8);
        assertThat(found).isNegative();
        now.addAndGet(TimeUnit.SECONDS.toNanos(20) - 1);
        assertThat(retryFor(8)).isNegative();
        now.addAndGet(1);
        holders.clear();
        assertThat(retryFor(8)).isEqualTo(800);
        assertThat(shortage.collections()).isEqualTo(2);
    }

    /** Asks twice a collector that never collects, and prints how much of the heap the second request took. */
    static final class ProbeWithoutCollector {
        private ProbeWithoutCollector() {}

        public static void main(String[] arguments) {
            // The JVM's clock begins anywhere.
            AtomicLong now = new AtomicLong(-1);
            Holdings holdings = new Holdings((_, _) -> {});
            Shortage shortage = new Shortage(holdings) {
                @Override
                long now() {
                    return now.get();
                }
            };
            holdings.hold(holdings, 8, () -> 0);
            for (int i = 0; i < 2; i++) {
                long free = Runtime.getRuntime().freeMemory();
                boolean found = shortage.retry(() -> unlessFull(0), holdings.bytes(), 8) >= 0;
                long taken = (free - Runtime.getRuntime().freeMemory()) >> 20;
                System.out.println(found ? "found" : "taken=" + taken);
                now.addAndGet(TimeUnit.HOURS.toNanos(1));
            }
        }
    }

    /** Each further one would end the process a little sooner. */
    @Test
    @Tag("native")
    void whereNoCollectorRunsTheHeapIsFilledOnceAndNotWholly() {
        assertThat(new Jvm()
                        .option("-Xms128m")
                        .option("-Xmx128m")
                        .option("-XX:-UseSerialGC")
                        .option("-XX:+UnlockExperimentalVMOptions")
                        .option("-XX:+UseEpsilonGC")
                        .outputOf(ProbeWithoutCollector.class))
                .containsPattern("taken=1[0-9]{2}\\ntaken=[0-9]\\n");
    }

    @Test
    void anInterruptedThreadAsksOnceAndStaysInterrupted() {
        hold(100);
        try {
            Thread.currentThread().interrupt();
            assertThat(retryFor(8)).isNegative();
            assertThat(Thread.interrupted()).isTrue();
            assertThat(shortage.collections()).isEqualTo(1);
            now.addAndGet(TimeUnit.MINUTES.toNanos(1));
            holders.clear();
            Thread.currentThread().interrupt();
            assertThat(retryFor(8)).isEqualTo(800);
            assertThat(Thread.interrupted()).isTrue();
        } finally {
            boolean _ = Thread.interrupted();
        }
    }

    /** As if the dedicated thread were preempted once it has taken a piece from the queue. */
    @Test
    void aPieceThatAnotherThreadIsAboutToGiveBackIsFound() throws InterruptedException {
        AtomicLong back = new AtomicLong();
        CountDownLatch taken = new CountDownLatch(1);
        CompletableFuture<Void> found = new CompletableFuture<>();
        Holdings preempted = new Holdings((_, bytes) -> back.addAndGet(bytes)) {
            @Override
            public long applyAsLong(@Nullable Reference<?> reference) {
                if (reference instanceof Holding) {
                    taken.countDown();
                    found.join();
                }
                return super.applyAsLong(reference);
            }
        };
        preempted.hold(new Object(), 8, () -> 0);
        Garbage.collectUntil(() -> taken.getCount() == 0);
        try {
            // Whoever starts the detached thread looks at all pieces once more, and may have given this one back.
            long held = preempted.bytes();
            assertThat(new Shortage(preempted).retry(() -> unlessFull(back.get()), held, 8 - back.get()))
                    .isEqualTo(8);
        } finally {
            found.complete(null);
        }
    }

    private static long unlessFull(long back) {
        return back == 0 ? FULL : back;
    }

    @Test
    void whoeverAsksMeanwhileWaits() throws InterruptedException {
        hold(100);
        AtomicInteger attempts = new AtomicInteger();
        Thread later = new Thread(
                () -> shortage.retry(() -> unlessFull(0L * attempts.incrementAndGet()), holdings.bytes(), 8));
        long found = shortage.retry(
                () -> {
                    if (later.getState() == Thread.State.NEW) {
                        later.start();
                        while (later.getState() != Thread.State.BLOCKED && attempts.get() == 0) {
                            Thread.onSpinWait();
                        }
                        assertThat(attempts).hasValue(0);
                    }
                    return FULL;
                },
                holdings.bytes(),
                8);
        assertThat(found).isNegative();
        later.join();
        assertThat(attempts).hasValue(1);
    }

    @Test
    void threadsThatAskTogetherAreServedByOne() throws InterruptedException {
        hold(100);
        holders.clear();
        AtomicInteger served = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            threads.add(Thread.ofVirtual().start(() -> {
                served.addAndGet(retryFor(8) == 800 ? 1 : 0);
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(served).hasValue(8);
        assertThat(shortage.collections()).isEqualTo(1);
    }
}
