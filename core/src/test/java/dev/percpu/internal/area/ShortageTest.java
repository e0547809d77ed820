package dev.percpu.internal.area;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.memory.AreaFullException;
import dev.percpu.testing.VmTest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How often the collector is asked for what is missing, with a clock that stands still. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
@VmTest("strict")
class ShortageTest {
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
        if (given.get() < 800) {
            throw full();
        }
        return given.get();
    }

    private static AreaFullException full() {
        return new AreaFullException("full");
    }

    private void hold(int pieces) {
        for (int i = 0; i < pieces; i++) {
            Object holder = new Object();
            holders.add(holder);
            holdings.add(holder, 8 * i, 8);
        }
    }

    @Test
    void aCollectionFindsWhatNobodyCanReach() {
        hold(100);
        holders.clear();
        assertThat(shortage.retry(this::untilAllIsBack, () -> 800 - given.get(), full()))
                .isEqualTo(800);
        assertThat(shortage.collections()).isEqualTo(1);
    }

    @Test
    void noneIsAskedForIfItCannotHelp() {
        hold(100);
        assertThatThrownBy(() -> shortage.retry(this::untilAllIsBack, () -> 801 - given.get(), full()))
                .isInstanceOf(AreaFullException.class);
        assertThat(shortage.collections()).isZero();
    }

    @Test
    void afterOneInVainThereIsNoneForAWhile() {
        hold(100);
        for (int i = 0; i < 1_000; i++) {
            assertThatThrownBy(() -> shortage.retry(this::untilAllIsBack, () -> 8 - given.get(), full()))
                    .isInstanceOf(AreaFullException.class);
        }
        assertThat(shortage.collections()).isEqualTo(1);
        now.addAndGet(TimeUnit.SECONDS.toNanos(1) - 1);
        assertThatThrownBy(() -> shortage.retry(this::untilAllIsBack, () -> 8 - given.get(), full()))
                .isInstanceOf(AreaFullException.class);
        assertThat(shortage.collections()).isEqualTo(1);
        now.addAndGet(1);
        holders.clear();
        assertThat(shortage.retry(this::untilAllIsBack, () -> 8 - given.get(), full()))
                .isEqualTo(800);
        assertThat(shortage.collections()).isEqualTo(2);
    }

    @Test
    void anInterruptedThreadAsksOnceAndStaysInterrupted() {
        hold(100);
        try {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> shortage.retry(this::untilAllIsBack, () -> 8 - given.get(), full()))
                    .isInstanceOf(AreaFullException.class);
            assertThat(Thread.interrupted()).isTrue();
            assertThat(shortage.collections()).isEqualTo(1);
            now.addAndGet(TimeUnit.MINUTES.toNanos(1));
            holders.clear();
            Thread.currentThread().interrupt();
            assertThat(shortage.retry(this::untilAllIsBack, () -> 8 - given.get(), full()))
                    .isEqualTo(800);
            assertThat(Thread.interrupted()).isTrue();
        } finally {
            boolean _ = Thread.interrupted();
        }
    }

    /** The dedicated thread may take the last piece off the queue, and give it back while this thread waits. */
    @Test
    void whatAnotherThreadGivesBackWhileThisOneWaitsIsFound() {
        AtomicLong back = new AtomicLong();
        Holdings waiting = new Holdings((_, _) -> {}) {
            private Sentinel last = super.sentinel();

            @Override
            Sentinel sentinel() {
                last = super.sentinel();
                return last;
            }

            @Override
            boolean awaitReturn(long millis) throws InterruptedException {
                boolean came = super.awaitReturn(millis);
                if (!came && last.isAnnounced()) {
                    back.set(8);
                }
                return came;
            }
        };
        waiting.add(holders, 0, 8);
        Shortage patient = new Shortage(waiting);
        assertThat(patient.retry(() -> unlessFull(back.get()), () -> 8, full())).isEqualTo(8);
    }

    private static long unlessFull(long back) {
        if (back == 0) {
            throw full();
        }
        return back;
    }

    @Test
    void anInterruptInTheMiddleOfTheWaitIsNotLost() {
        AtomicLong back = new AtomicLong();
        Holdings interrupted = new Holdings((_, _) -> {}) {
            @Override
            boolean awaitReturn(long millis) throws InterruptedException {
                back.set(8);
                throw new InterruptedException();
            }
        };
        interrupted.add(holders, 0, 8);
        Shortage patient = new Shortage(interrupted);
        assertThat(patient.retry(() -> unlessFull(back.get()), () -> 8, full())).isEqualTo(8);
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void threadsThatAskTogetherAreServedByOne() throws InterruptedException {
        hold(100);
        holders.clear();
        AtomicInteger served = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            threads.add(Thread.ofVirtual().start(() -> {
                served.addAndGet(shortage.retry(this::untilAllIsBack, () -> 8 - given.get(), full()) == 800 ? 1 : 0);
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(served).hasValue(8);
        assertThat(shortage.collections()).isEqualTo(1);
    }
}
