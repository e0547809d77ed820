package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuBoundedCounter;
import dev.percpu.concurrent.PerCpuBuckets;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuCounterArray;
import dev.percpu.concurrent.PerCpuDoubleAccumulator;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import dev.percpu.concurrent.PerCpuEvent;
import dev.percpu.concurrent.PerCpuEvent.Argument;
import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PerCpuReadWriteLock;
import dev.percpu.concurrent.PerCpuRef;
import dev.percpu.concurrent.PerCpuSummary;
import dev.percpu.concurrent.Pooled;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.area.HotThread;
import dev.percpu.internal.linux.BoundThread;
import dev.percpu.memory.AreaFullException;
import dev.percpu.memory.NumericWidth;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.TestInOwnJvm;
import dev.percpu.testing.WithoutCpuId;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A thing that was made works whatever its first use meets. A class whose initializer fails stays unusable, and a first
 * use may come when the heap is full or the stack ends. So whoever makes a thing initializes all classes that its
 * operations need. The same goes for a lambda: if the heap is full when the JVM links one, it may never try again.
 *
 * <p>This file is longer than others: it has each thing.
 */
@SuppressWarnings({"LockNotBeforeTry", "WaitNotInLoop", "JavaUtilDate"}) // nothing fails in between, or the JVM ends
class FirstUseTest {
    private static final String MADE = "it is made";

    /** A class of the library that is initialized, and has an initializer. */
    private static final Pattern INITIALIZED =
            Pattern.compile("Initializing '(dev/percpu/(?!FirstUseTest)[^']+)' ?\\((?!no method)", Pattern.MULTILINE);

    /** A lambda of the library, or a switch over types, that is linked. */
    private static final Pattern LINKED = Pattern.compile(
            "Initializing '(dev/percpu/(?!FirstUseTest)[^']+\\$\\$(Lambda|TypeSwitch))", Pattern.MULTILINE);

    /**
     * A call that is linked, so that the JVM makes a class for it: not where Java code calls a method. The thread that
     * collects memory makes its own, at the same time if the machine is slow.
     */
    private static final Pattern LINKED_CALL =
            Pattern.compile("Initializing 'java/lang/invoke/LambdaForm\\$.* by thread \"main\"");

    /** Made, and then used. */
    interface Use {
        void use() throws InterruptedException;
    }

    enum Thing {
        COUNTER {
            @Override
            Use make() {
                PerCpuCounter counter = new PerCpuCounter();
                return () -> counter.add(counter.sum() + counter.sumThenReset());
            }
        },
        COUNTER_ARRAY {
            @Override
            Use make() {
                PerCpuCounterArray counters = new PerCpuCounterArray(2);
                return () -> {
                    counters.increment(1);
                    counters.add(0, counters.sumThenReset(1) + counters.sum(0));
                    counters.add(0, 1, 1, 1);
                };
            }
        },
        BUCKETS {
            @Override
            Use make() {
                PerCpuBuckets buckets = new PerCpuBuckets(2);
                return () -> buckets.record(0, buckets.sum() + buckets.counts()[1]);
            }
        },
        DOUBLE_COUNTER {
            @Override
            Use make() {
                PerCpuDoubleCounter counter = new PerCpuDoubleCounter();
                return () -> {
                    counter.add(1);
                    counter.add(counter.sumThenReset() + counter.sum());
                };
            }
        },
        ACCUMULATOR {
            @Override
            Use make() {
                PerCpuAccumulator any = new PerCpuAccumulator((a, b) -> a * b, 1);
                PerCpuAccumulator maximum = PerCpuAccumulator.maximum();
                return () -> {
                    any.accumulate(3);
                    maximum.accumulate(any.getThenReset());
                    any.accumulate(maximum.getThenReset());
                };
            }
        },
        DOUBLE_ACCUMULATOR {
            @Override
            Use make() {
                PerCpuDoubleAccumulator any = new PerCpuDoubleAccumulator((a, b) -> a * b, 1);
                return () -> {
                    any.accumulate(3);
                    any.accumulate(any.getThenReset());
                };
            }
        },
        BOUNDED_COUNTER {
            @Override
            Use make() {
                PerCpuBoundedCounter counter = new PerCpuBoundedCounter(2);
                return () -> {
                    counter.add(100);
                    check(counter.tryAdd(1, 101));
                    check(!counter.trySub(1, 101));
                    counter.add(counter.estimate() + counter.sum());
                };
            }
        },
        HISTOGRAM {
            @Override
            Use make() {
                PerCpuHistogram histogram = PerCpuHistogram.builder().build();
                return () -> {
                    histogram.record(7);
                    histogram.record(histogram.snapshot().quantile(1), 2);
                    histogram.record(histogram.snapshotThenReset().count());
                };
            }
        },
        SUMMARY {
            @Override
            Use make() {
                PerCpuSummary summary = new PerCpuSummary();
                return () -> {
                    summary.accept(1);
                    summary.accept(summary.summaryThenReset().max());
                };
            }
        },
        EVENT {
            @Override
            Use make() {
                PerCpuEvent event = PerCpuEvent.builder()
                        .name("event")
                        .increment(new PerCpuCounter())
                        .record(PerCpuHistogram.builder().build(), Argument.FIRST)
                        .build();
                return () -> event.record(1);
            }
        },

        /** Nothing else links the call of an event, which passes more numbers than a counter's addition does. */
        EVENT_OF_COUNTERS {
            @Override
            Use make() {
                PerCpuEvent event = PerCpuEvent.builder()
                        .increment(new PerCpuCounter())
                        .increment(new PerCpuCounter())
                        .build();
                return event::record;
            }
        },

        /** The call passes more numbers than that of other events: three arguments, and the index of a bucket. */
        EVENT_OF_FOUR_VALUES {
            @Override
            Use make() {
                PerCpuEvent event = PerCpuEvent.builder()
                        .add(new PerCpuCounter(), Argument.FIRST)
                        .add(new PerCpuCounter(), Argument.SECOND)
                        .record(PerCpuHistogram.builder().build(), Argument.THIRD)
                        .build();
                return () -> event.record(1, 2, 3);
            }
        },
        EVENT_OF_GATED_NUMBERS {
            @Override
            Use make() {
                PerCpuEvent event = PerCpuEvent.builder()
                        .accumulate(PerCpuAccumulator.maximum(), Argument.FIRST)
                        .add(new PerCpuDoubleCounter(), Argument.SECOND)
                        .build();
                return () -> event.record(1, 2.0);
            }
        },
        LOCK {
            @Override
            Use make() {
                PerCpuReadWriteLock lock = new PerCpuReadWriteLock();
                return () -> {
                    Condition condition = lock.writeLock().newCondition();
                    read(lock, 10_000);
                    waiting(lock.readLock(), lock.writeLock());
                    waiting(lock.writeLock(), lock.readLock());
                    waiting(lock.writeLock(), lock.writeLock());
                    lock.writeLock().lock();
                    boolean _ = condition.await(1, TimeUnit.NANOSECONDS);
                    boolean _ = condition.awaitUntil(new Date(0));
                    condition.signal();
                    condition.signalAll();
                    lock.writeLock().unlock();
                };
            }
        },
        REF {
            @Override
            Use make() {
                PerCpuRef ref = new PerCpuRef(() -> {});
                return () -> {
                    ref.get();
                    ref.kill();
                    check(!ref.tryGetLive());
                    ref.put();
                    ref.reinit();
                };
            }
        },
        POOL {
            @Override
            Use make() {
                PerCpuPool<Object> pool = PerCpuPool.builder(2, Object::new).build();
                PerCpuPool<Object> kept = PerCpuPool.builder(64, Object::new)
                        .keepOnePerHotThread()
                        .build();
                long _ = HotThread.tryGetPlace();
                return () -> {
                    kept.acquire().release();
                    kept.acquire().release();
                    List<Pooled<Object>> held = new ArrayList<>();
                    held.add(pool.acquire());
                    held.add(pool.acquire());
                    check(pool.tryAcquire() == null);
                    check(pool.tryAcquire(1, TimeUnit.NANOSECONDS) == null);
                    held.forEach(Pooled::release);
                    pool.acquire().discard();
                    check(pool.trim(0) == 1);
                    pool.close();
                };
            }
        },
        GUARD {
            @Override
            Use make() {
                CpuGuard.acquire().close();
                return () -> {
                    try (CpuGuard guard = CpuGuard.acquire()) {
                        Thread other = Thread.ofPlatform().start(() -> {
                            try (CpuGuard _ = CpuGuard.acquire(guard.cpu())) {
                                check(guard.cpu().id() >= 0);
                            }
                        });
                        while (other.getState() != Thread.State.TIMED_WAITING) {
                            Thread.sleep(1);
                        }
                    }
                };
            }
        },

        /** As with {@link #ON_EACH_CPU}, something else initializes classes before. */
        CURRENT_CPU {
            @Override
            Use make() {
                CpuGuard.acquire().close();
                return () -> check(CpuId.current().id() >= 0);
            }
        },
        GUARD_WITHOUT_CPU_ID {
            @Override
            Use make() {
                CpuGuard.acquire().close();
                if (PerCpuRuntime.backend().equals("rseq")) {
                    WithoutCpuId.unregisterThisThread();
                }
                return () -> CpuGuard.acquire().close();
            }
        },
        REPORT {
            @Override
            Use make() {
                CpuGuard.acquire().close();
                return () -> {
                    Thread.ofPlatform().start(CpuGuard::acquire).join();
                    for (CpuId cpu : CpuMask.possible()) {
                        CpuGuard.acquire(cpu).close();
                    }
                    Thread waiting;
                    try (CpuGuard guard = CpuGuard.acquire()) {
                        waiting = Thread.ofPlatform()
                                .start(() -> CpuGuard.acquire(guard.cpu()).close());
                        Thread.sleep(2_500);
                    }
                    waiting.join();
                };
            }
        },
        NUMBER {
            @Override
            Use make() {
                DynamicNumeric number = PerCpuNumeric.create("used first", NumericWidth.SHORT, 0);
                return () -> {
                    number.add(1);
                    number.or(4);
                    number.set(number.getAndSet(3) + number.addAndGet(1));
                    check(number.compareAndExchange(0, 1) != 0);
                    check(number.sum() != 0);
                    check(number.snapshot().length > 0);
                    number.close();
                };
            }
        },
        DOUBLE {
            @Override
            Use make() {
                DynamicDouble number = PerCpuDouble.create(0);
                return () -> {
                    number.add(1);
                    number.set(number.sum());
                    check(number.snapshot().length > 0);
                    number.close();
                };
            }
        },

        /** Nothing is made for it, so its first use can initialize classes. Here something else does so before. */
        ON_EACH_CPU {
            @Override
            Use make() {
                Object _ = new PerCpuRef(() -> {});
                CpuId first = CpuMask.usable().iterator().next();
                check(BoundThread.run(first.id(), () -> {}) == null);
                return () -> CpuId.onEachCpu(_ -> {});
            }
        },
        VARIABLE {
            @Override
            Use make() {
                DynamicPerCpu<long[]> variable = DynamicPerCpu.createWith(() -> new long[1]);
                return () -> {
                    variable.run(value -> value[0]++);
                    variable.forEachCpu((_, value) -> value[0]++);
                    check(!variable.forEachCpu(1, TimeUnit.SECONDS, (_, value) -> value[0]++)
                            .isEmpty());
                    try (CpuGuard guard = CpuGuard.acquire()) {
                        check(variable.getMut(guard).replace(new long[1]).length == 1);
                    }
                    variable.close();
                };
            }
        },

        /** The second one finds the area full, and looks for memory that nobody can reach any more. */
        LARGE_VARIABLE {
            private static final MemoryLayout MOST_OF_AREA =
                    MemoryLayout.sequenceLayout(3 << 25, ValueLayout.JAVA_LONG);

            @Override
            Use make() {
                DynamicPerCpu<MemorySegment> first = DynamicPerCpu.createZero(MOST_OF_AREA);
                return () -> {
                    try {
                        System.out.println(first + " and " + DynamicPerCpu.createZero(MOST_OF_AREA));
                    } catch (AreaFullException full) {
                        System.out.println("the area is full");
                    }
                };
            }
        };

        abstract Use make();
    }

    private static void read(PerCpuReadWriteLock lock, int times) {
        for (int i = 0; i < times; i++) {
            lock.readLock().lock();
            lock.readLock().unlock();
        }
    }

    /** Another thread waits for one lock, while this one has the other. */
    private static void waiting(Lock held, Lock wanted) throws InterruptedException {
        CountDownLatch done = new CountDownLatch(1);
        held.lock();
        Thread other = Thread.ofPlatform().start(() -> {
            wanted.lock();
            wanted.unlock();
            done.countDown();
        });
        while (other.getState() != Thread.State.TIMED_WAITING && other.getState() != Thread.State.WAITING) {
            Thread.sleep(1);
        }
        held.unlock();
        done.await();
    }

    /** For the probes. AssertJ is not in their class path, and would initialize many classes. */
    private static void check(boolean holds) {
        if (!holds) {
            throw new AssertionError("an operation did not do what it should");
        }
    }

    /** In a JVM of its own. */
    static final class Probe {
        private Probe() {}

        public static void main(String... arguments) throws InterruptedException {
            Use use = Thing.valueOf(arguments[0]).make();
            System.out.println(MADE);
            use.use();
            System.out.println("used");
        }
    }

    @ParameterizedTest
    @Execution(ExecutionMode.CONCURRENT)
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "LARGE_VARIABLE")
    void noOperationInitializesAClassOrLinksALambda(Thing thing) {
        assertInitializesNothing(thing);
    }

    @ParameterizedTest
    @Execution(ExecutionMode.CONCURRENT)
    @Tag("rseq")
    @EnumSource(names = {"COUNTER", "EVENT", "EVENT_OF_COUNTERS", "EVENT_OF_FOUR_VALUES", "EVENT_OF_GATED_NUMBERS"})
    void noUpdateLinksACall(Thing thing) {
        assertThat(logOfUse(thing)).doesNotContainPattern(LINKED_CALL);
    }

    /** Without native access there is no area that could be full. */
    @TestInOwnJvm
    @Tag("native")
    void norDoesASearchForMemoryInAFullArea() {
        assertInitializesNothing(Thing.LARGE_VARIABLE);
    }

    private static void assertInitializesNothing(Thing thing) {
        assertThat(logOfUse(thing)).doesNotContainPattern(INITIALIZED).doesNotContainPattern(LINKED);
    }

    private static String logOfUse(Thing thing) {
        String output = Jvm.asHere().option("-Xlog:class+init=info:stdout:none").outputOf(Probe.class, thing.name());
        String[] parts = output.split(MADE, 2);
        assertThat(parts[0]).as("the log, before").containsPattern(INITIALIZED).containsPattern(LINKED_CALL);
        return parts[1];
    }
}
