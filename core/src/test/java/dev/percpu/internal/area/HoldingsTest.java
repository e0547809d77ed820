package dev.percpu.internal.area;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.Effort;
import dev.percpu.testing.Garbage;
import dev.percpu.testing.LogCapture;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Pieces that come back when their holders are gone.
 *
 * <p>This file is longer than others: giving back can fail at each step, and each has its case.
 */
@Tag("once")
class HoldingsTest {
    private static final int HOLDERS = 4 * Effort.scaled(2_500);

    /** Which pieces were given back: their sizes, one for each time. */
    private final Map<Long, List<Long>> given = new ConcurrentHashMap<>();

    /** In a field, as what a local variable refers to may be collected before its last use in the source. */
    private final List<Object> holders = new ArrayList<>();

    private final Holdings holdings = new Holdings(this::give);

    @Test
    void eachPieceComesBackOnceAndOnlyIfItsHolderIsGone() throws InterruptedException {
        for (int i = 0; i < HOLDERS; i++) {
            Object holder = new Object();
            add(holdings, holder, position(i), i + 1);
            holders.add(holder);
        }
        // In an order that has nothing to do with the one in which they were added.
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < HOLDERS; i++) {
            order.add(i);
        }
        Collections.shuffle(order, new Random(1));
        for (int gone = HOLDERS / 4; gone <= HOLDERS; gone += HOLDERS / 4) {
            for (int i : order.subList(0, gone)) {
                holders.set(i, null);
            }
            awaitGiven(gone);
            for (int i : order.subList(0, gone)) {
                assertThat(given.get((long) position(i))).containsExactly(i + 1L);
            }
            for (int i : order.subList(gone, HOLDERS)) {
                assertThat(given).doesNotContainKey((long) position(i));
            }
        }
    }

    /** Nothing else comes back meanwhile, and the holder is still reachable. */
    @Test
    void whatACallerCouldNotGiveBackIsTriedAgain() throws InterruptedException {
        AtomicInteger attempts = new AtomicInteger();
        Holdings failing = new Holdings((position, bytes) -> {
            if (attempts.incrementAndGet() == 1) {
                throw new StackOverflowError("the caller's");
            }
            give(position, bytes);
        });
        Object holder = new Object();
        holders.add(holder);
        // Until the thread is detached, it looks at what is due once more, and would try again then.
        Thread.sleep(2 * Holdings.MILLIS_UNTIL_DETACHED);
        failing.giveBack(add(failing, holder, position(0), 8));
        awaitGiven(1);
        assertThat(given.get((long) position(0))).containsExactly(8L);
    }

    /** The detached thread's first step loses it if the heap is full then. */
    @Test
    void whatTheThreadTookFromTheQueueAndLostComesBack() throws InterruptedException {
        // Lost too late, it stays lost.
        for (int attempt = 0; given.isEmpty() && attempt < 20; attempt++) {
            Holdings losing = new Holdings(this::give) {
                @Override
                public long applyAsLong(@Nullable Reference<?> reference) {
                    if (reference instanceof Holding) {
                        throw new OutOfMemoryError("for the test");
                    }
                    return super.applyAsLong(reference);
                }
            };
            // As the collector does; that may come too late.
            boolean _ = add(losing, new Object(), position(attempt), 8).enqueue();
            Thread.sleep(2 * Holdings.MILLIS_UNTIL_DETACHED);
        }
        assertThat(given.values()).isNotEmpty().containsOnly(List.of(8L));
    }

    @Test
    void aFailureKeepsNoOtherPieceBack() throws InterruptedException {
        try (var log = new LogCapture()) {
            Holdings failing = new Holdings((position, bytes) -> {
                given.put(position, List.of(bytes));
                throw new IllegalStateException("cannot");
            });
            for (int i = 0; i < 10; i++) {
                add(failing, new Object(), position(i), 1);
            }
            awaitGiven(10);
            assertThat(log.awaitMessage("could not be given back")).startsWith("WARNING");
        }
    }

    /** Nothing is given twice, and nothing is lost, however often it fails. */
    @Test
    void whatCouldNotBeGivenBackIsTriedAgain() throws InterruptedException {
        try (var log = new LogCapture()) {
            Map<Long, Integer> attempts = new ConcurrentHashMap<>();
            Holdings failing = new Holdings((position, bytes) -> {
                if (attempts.merge(position, 1, Integer::sum) <= 3) {
                    throw new IllegalStateException("for the test");
                }
                give(position, bytes);
            });
            for (int i = 0; i < 10; i++) {
                add(failing, new Object(), position(i), i + 1);
            }
            awaitGiven(10);
            for (int i = 0; i < 10; i++) {
                assertThat(given.get((long) position(i))).containsExactly(i + 1L);
            }
            assertThat(log.awaitMessage("retried until that succeeds")).startsWith("WARNING");
            while (failing.bytes() > 0) {
                Thread.sleep(1);
            }
        }
    }

    /** As many become due at once, where the collector has found them and the thread has not. */
    @Test
    void thoseThatAlwaysFailKeepNoOtherPieceBack() {
        Holdings failing = new Holdings((position, bytes) -> {
            given.put(position, List.of(bytes));
            // Of what is thrown, this alone is not logged: a later log could count in another test.
            throw new OutOfMemoryError("for the test");
        });
        int pieces = 10;
        for (int i = 0; i < pieces; i++) {
            add(failing, this, position(i), 8).clear();
        }
        for (int i = 0; i < pieces / 2; i++) {
            failing.giveBackUnreachable();
        }
        assertThat(given).hasSize(pieces);
    }

    /** With each attempt, another piece becomes due, and comes back at once. */
    @Test
    void norDoTheyIfAnotherOneIsDueEachTime() {
        Thread caller = Thread.currentThread();
        AtomicBoolean works = new AtomicBoolean();
        Holdings failing = new Holdings((position, bytes) -> {
            boolean isStuck = position == position(1) || position == position(2);
            if (isStuck || Thread.currentThread() != caller || (position == position(0) && !works.get())) {
                throw new OutOfMemoryError("for the test");
            }
            give(position, bytes);
        });
        for (int i = 0; i < 3; i++) {
            failing.applyAsLong(add(failing, this, position(i), 8));
        }
        assertThat(given).isEmpty();
        works.set(true);
        for (int i = 3; i < 10; i++) {
            failing.applyAsLong(add(failing, this, position(i), 8));
        }
        assertThat(given).containsKey((long) position(0)).hasSize(8);
    }

    /** A piece that never comes back keeps no other one back, and two of them do not make each step a long one. */
    @Test
    void afterTwoFailuresTheOthersWait() {
        Map<Long, Integer> attempts = new ConcurrentHashMap<>();
        AtomicInteger here = new AtomicInteger();
        Thread caller = Thread.currentThread();
        Holdings failing = new Holdings((position, bytes) -> {
            attempts.merge(position, 1, Integer::sum);
            if (Thread.currentThread() == caller) {
                here.incrementAndGet();
            }
            if (position == position(1) && attempts.containsKey((long) position(2))) {
                give(position, bytes);
                return;
            }
            throw new OutOfMemoryError("for the test");
        });
        for (int i = 0; i < 3; i++) {
            failing.giveBack(add(failing, this, position(i), 8));
        }
        assertThat(given).as("tried after one failure").containsOnlyKeys((long) position(1));
        int before = here.get();
        failing.giveBack(add(failing, this, position(3), 8));
        assertThat(here).as("attempts of one step").hasValue(before + 2);
    }

    /** Each step moves other holdings to other entries. */
    @Test
    void inWhateverOrderTheyComeAndFailEachComesBackOnce() {
        Random random = new Random(1);
        Set<Long> refused = ConcurrentHashMap.newKeySet();
        Holdings failing = new Holdings((position, bytes) -> {
            if (refused.contains(position)) {
                throw new OutOfMemoryError("for the test");
            }
            give(position, bytes);
        });
        List<Holdings.Holding> held = new ArrayList<>();
        int pieces = HOLDERS;
        for (int i = 0; i < pieces; i++) {
            held.add(add(failing, this, position(i), 8));
            // Few stay, so that those that are due are often all that there are.
            while (held.size() > random.nextInt(4)) {
                Holdings.Holding holding = held.remove(random.nextInt(held.size()));
                if (random.nextInt(3) == 0) {
                    refused.add((long) holding.position());
                }
                failing.giveBack(holding);
            }
            if (random.nextInt(4) == 0) {
                refused.clear();
            }
        }
        refused.clear();
        held.forEach(failing::giveBack);
        // With it comes what is still due.
        failing.giveBack(add(failing, this, position(pieces), 8));
        assertThat(given).hasSize(pieces + 1);
        assertThat(given.values()).allSatisfy(times -> assertThat(times).hasSize(1));
        assertThat(failing.bytes()).isZero();
    }

    @Test
    void onlyTheFirstOfASeriesOfFailuresIsLogged() throws InterruptedException {
        AtomicInteger logged = new AtomicInteger();
        try (LogCapture _ = new LogCapture(logged::incrementAndGet)) {
            AtomicInteger attempts = new AtomicInteger();
            Holdings failing = new Holdings((position, bytes) -> {
                if (attempts.incrementAndGet() % 4 != 0) {
                    throw new IllegalStateException("for the test");
                }
                give(position, bytes);
            });
            for (int series = 1; series <= 2; series++) {
                add(failing, new Object(), position(series), 8);
                awaitGiven(series);
                assertThat(logged).hasValue(series);
            }
        }
    }

    /** The thread finds nothing then that it could give back, and so does not see that it was over. */
    @Test
    void aSeriesOfFailuresThatAnotherThreadEndsIsOver() {
        AtomicInteger logged = new AtomicInteger();
        Thread here = Thread.currentThread();
        AtomicBoolean works = new AtomicBoolean();
        try (LogCapture _ = new LogCapture(logged::incrementAndGet)) {
            Holdings failing = new Holdings((position, bytes) -> {
                if (Thread.currentThread() != here || !works.get()) {
                    throw new IllegalStateException("for the test");
                }
                give(position, bytes);
            });
            for (int series = 1; series <= 2; series++) {
                works.set(false);
                failing.applyAsLong(add(failing, this, position(series), 8));
                assertThat(logged).hasValue(series);
                works.set(true);
                failing.giveBackUnreachable();
                assertThat(given).hasSize(series);
            }
        }
    }

    /** The first use of a logger, with a full heap, could leave classes of the JDK that nobody can use any more. */
    @Test
    void aFullHeapIsNotLogged() throws InterruptedException {
        AtomicInteger logged = new AtomicInteger();
        try (LogCapture _ = new LogCapture(logged::incrementAndGet)) {
            AtomicInteger attempts = new AtomicInteger();
            Holdings failing = new Holdings((position, bytes) -> {
                if (attempts.incrementAndGet() <= 3) {
                    throw new OutOfMemoryError("for the test");
                }
                give(position, bytes);
            });
            add(failing, new Object(), position(1), 8);
            awaitGiven(1);
            assertThat(logged).hasValue(0);
        }
    }

    /**
     * As if the stack ended between giving a piece back and forgetting it, twice. What is thrown is not logged: the
     * thread might be the one that fails, and log that only in the next test, which counts messages.
     */
    @Test
    void whatIsGivenBackButCouldNotBeForgottenIsNotGivenBackAgain() {
        AtomicInteger attempts = new AtomicInteger();
        Holdings failing = new Holdings(this::give) {
            @Override
            synchronized void remove(Holding holding) {
                if (attempts.incrementAndGet() <= 2) {
                    throw new OutOfMemoryError("for the test");
                }
                super.remove(holding);
            }
        };
        Holdings.Holding holding = add(failing, this, position(1), 8);
        for (int i = 0; i < 3; i++) {
            failing.giveBack(holding);
        }
        assertThat(given.get((long) position(1))).containsExactly(8L);
        assertThat(failing.bytes()).isZero();
    }

    /** A logger is somebody else's code, and runs in the reclaiming thread. */
    @Test
    void whateverTheLoggerThrowsTheThreadGoesOn() throws InterruptedException {
        List<Throwable> thrown = List.of(
                new IllegalStateException("for the test"),
                new OutOfMemoryError("for the test"),
                new StackOverflowError("for the test"),
                new LinkageError("for the test"));
        AtomicInteger logged = new AtomicInteger();
        Runnable throwing = () -> {
            switch (thrown.get(logged.getAndIncrement() % thrown.size())) {
                case Error e -> throw e;
                case RuntimeException e -> throw e;
                default -> throw new AssertionError();
            }
        };
        try (LogCapture _ = new LogCapture(throwing)) {
            Map<Long, Integer> attempts = new ConcurrentHashMap<>();
            Holdings failing = new Holdings((position, bytes) -> {
                if (attempts.merge(position, 1, Integer::sum) == 1) {
                    throw new IllegalStateException("for the test");
                }
                give(position, bytes);
            });
            for (int i = 0; i < 2 * thrown.size(); i++) {
                add(failing, new Object(), position(i), i + 1);
                awaitGiven(i + 1);
            }
            assertThat(logged.get()).isGreaterThanOrEqualTo(thrown.size());
        }
    }

    @Test
    void whatIsGivenBackAtOnceIsNotGivenBackAgain() throws InterruptedException {
        Object holder = new Object();
        Holdings.Holding holding = add(holdings, holder, position(1), 8);
        holders.add(holder);
        holdings.giveBack(holding);
        // As if the collector had queued it before.
        holdings.giveBack(holding);
        assertThat(given.get((long) position(1))).containsExactly(8L);
        assertThat(holdings.bytes()).isZero();
        holders.clear();
        add(holdings, new Object(), position(2), 16);
        awaitGiven(2);
        assertThat(given.get((long) position(1))).containsExactly(8L);
    }

    /** Otherwise it would keep the class loader of this code, and all that it has loaded. */
    @Test
    void theThreadEndsWhenNobodyHasTheHoldings() throws InterruptedException {
        // Those of the fields of this test, and of the library itself.
        int others = threads();
        for (int i = 0; i < 10; i++) {
            Holdings dropped = new Holdings((position, bytes) -> {});
            add(dropped, dropped, position(i), 8);
        }
        assertThat(threads()).isGreaterThan(others);
        Garbage.collectUntil(() -> threads() <= others);
    }

    private static int threads() {
        return (int) Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("percpu-area"))
                .count();
    }

    /** A reader sees the piece and its size at once: not a list that is still empty. */
    private void give(long position, long bytes) {
        given.merge(
                position,
                List.of(bytes),
                (before, more) -> Stream.concat(before.stream(), more.stream()).toList());
    }

    private void awaitGiven(int pieces) throws InterruptedException {
        Garbage.collectUntil(() -> given.size() >= pieces);
    }

    private static Holdings.Holding add(Holdings holdings, Object holder, int position, int size) {
        return holdings.hold(holder, size, () -> position);
    }

    private static int position(int i) {
        return 64 * i;
    }
}
