package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.OnCpu;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.backend.Interposed;
import dev.percpu.internal.protocol.StackRoom;
import dev.percpu.testing.Jvm;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Operations of several steps that belong together look for room on the stack before the first of them. Where the stack
 * ends between two steps depends on what the JIT compiler inlines. So a JVM of its own says that there is no room.
 */
@Tag("native")
class RoomFirstTest {
    @Test
    void withoutRoomNothingIsBegun() {
        Jvm.Result result = Jvm.asHere().run(Probe.class);
        assertThat(result.output().lines())
                .containsExactly(
                        "bounded counter, sub with full credit: refused, value -64",
                        "bounded counter, add without credit: refused, value 0",
                        "bounded counter, tryAdd near the limit: refused, value 0",
                        "bounded counter, trySub: refused, value 0",
                        "bounded counter, sub that could open it: done, value 500000",
                        "bounded counter, tryAdd that could open it: done, value 500001",
                        "ref, kill: refused, killed false, released 0",
                        "ref, last put: refused, zero false, released 0",
                        "ref, last put: done, zero true, released 1",
                        "ref, reinit: refused, killed true",
                        "ref, resurrect: refused, killed true",
                        "double counter, sumThenReset: refused, value 1.0",
                        "accumulator, reset: refused, value 1",
                        "accumulator, getThenReset: refused, value 1",
                        "pool, release whose hook fails: refused, acquire: refused, later: an object",
                        "task on each CPU: refused, runs 0");
    }

    @Test
    void inCheckedModeNothingIsReleasedOrAcquiredWithoutRoom() {
        Jvm.Result result = Jvm.asHere().option("-Dpercpu.checked=true").run(CheckedProbe.class);
        assertThat(result.output().lines())
                .containsExactly(
                        "release: refused, object 0 of pool \"checked\" (capacity 1), held",
                        "acquire: refused, idle 1");
    }

    /** Runs in a JVM of its own. */
    static final class CheckedProbe {
        private CheckedProbe() {}

        public static void main(String[] arguments) {
            Probe.install();
            PerCpuPool<Object> pool =
                    PerCpuPool.builder(1, Object::new).name("checked").build();
            Pooled<Object> held = pool.tryAcquire();
            System.out.println("release: " + Probe.without(held::release) + ", " + held);
            held.release();
            String acquire = Probe.without(pool::tryAcquire);
            System.out.println(
                    "acquire: " + acquire + ", idle " + pool.statistics().idle());
        }
    }

    /** Runs in a JVM of its own. */
    static final class Probe {
        private static final int BATCH = 32;

        private static boolean full;
        private static int released;

        private Probe() {}

        private static void install() {
            Interposed.replace(StackRoom.class, _ -> Probe::ensure);
        }

        public static void main(String[] arguments) {
            install();
            OnCpu.run(CpuMask.usable().iterator().next(), () -> {
                counters();
                ref();
                doubleCounter();
                accumulator();
                pool();
                onEachCpu();
            });
        }

        private static void ensure() {
            if (full) {
                throw new StackOverflowError("no room");
            }
        }

        private static String without(Runnable operation) {
            full = true;
            try {
                operation.run();
                return "done";
            } catch (StackOverflowError noRoom) {
                return "refused";
            } finally {
                full = false;
            }
        }

        private static void counters() {
            PerCpuBoundedCounter low = new PerCpuBoundedCounter(BATCH);
            for (int i = 0; i < 2 * BATCH; i++) {
                low.sub(1);
            }
            tell("sub with full credit", low, () -> low.sub(1));
            PerCpuBoundedCounter counter = new PerCpuBoundedCounter(BATCH);
            tell("add without credit", counter, () -> counter.add(1));
            tell("tryAdd near the limit", counter, () -> {
                boolean _ = counter.tryAdd(1, 1);
            });
            tell("trySub", counter, () -> {
                boolean _ = counter.trySub(1, -1);
            });
            // To open it is not a part of the operation, which is done before.
            PerCpuBoundedCounter shut = new PerCpuBoundedCounter(BATCH);
            int limit = 1_000_000;
            shut.add(limit);
            boolean _ = shut.tryAdd(1, limit);
            tell("sub that could open it", shut, () -> shut.sub(limit / 2));
            tell("tryAdd that could open it", shut, () -> {
                boolean _ = shut.tryAdd(1, limit);
            });
        }

        private static void tell(String what, PerCpuBoundedCounter counter, Runnable operation) {
            System.out.println("bounded counter, " + what + ": " + without(operation) + ", value " + counter.sum());
        }

        private static void ref() {
            PerCpuRef ref = new PerCpuRef(() -> released++);
            ref.get();
            String kill = without(ref::kill);
            System.out.println("ref, kill: " + kill + ", killed " + ref.isKilled() + ", released " + released);
            boolean _ = ref.kill();
            tell(without(ref::put), ref);
            ref.put();
            tell("done", ref);
            String reinit = without(ref::reinit);
            System.out.println("ref, reinit: " + reinit + ", killed " + ref.isKilled());
            ref.reinit();
            ref.get();
            boolean _ = ref.kill();
            String resurrect = without(ref::resurrect);
            System.out.println("ref, resurrect: " + resurrect + ", killed " + ref.isKilled());
        }

        private static void tell(String outcome, PerCpuRef ref) {
            System.out.println("ref, last put: " + outcome + ", zero " + ref.isZero() + ", released " + released);
        }

        private static void doubleCounter() {
            PerCpuDoubleCounter counter = new PerCpuDoubleCounter();
            counter.add(1);
            String outcome = without(counter::sumThenReset);
            System.out.println("double counter, sumThenReset: " + outcome + ", value " + counter.sum());
        }

        private static void accumulator() {
            PerCpuAccumulator maximum = PerCpuAccumulator.maximum();
            maximum.accumulate(1);
            String reset = without(maximum::reset);
            System.out.println("accumulator, reset: " + reset + ", value " + maximum.get());
            // Its function could overflow the stack. Then there has to be room to put the numbers back.
            String taken = without(maximum::getThenReset);
            System.out.println("accumulator, getThenReset: " + taken + ", value " + maximum.get());
        }

        /** If there is no room to destroy an object, whoever needs its place and has room does that. */
        private static void pool() {
            PerCpuPool<Object> pool = PerCpuPool.builder(1, Object::new)
                    .reset(_ -> {
                        throw new StackOverflowError("in the hook");
                    })
                    .build();
            Pooled<Object> held = pool.tryAcquire();
            String release = without(held::release);
            String acquire = without(pool::tryAcquire);
            System.out.println("pool, release whose hook fails: " + release + ", acquire: " + acquire + ", later: "
                    + (pool.tryAcquire() == null ? "nothing" : "an object"));
        }

        private static void onEachCpu() {
            AtomicInteger runs = new AtomicInteger();
            String outcome = without(() -> CpuId.onEachCpu(_ -> runs.incrementAndGet()));
            System.out.println("task on each CPU: " + outcome + ", runs " + runs);
        }
    }
}
