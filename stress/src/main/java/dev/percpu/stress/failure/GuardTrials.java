package dev.percpu.stress.failure;

import dev.percpu.CpuGuard;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/** Guards. */
@SuppressWarnings("MustBeClosedChecker") // they are closed in another method
final class GuardTrials {
    private static final List<CpuId> CPUS =
            StreamSupport.stream(CpuMask.usable().spliterator(), false).toList();

    private static final long LONG_SECONDS = 100;

    private GuardTrials() {}

    static List<Operation> all() {
        return each().map(operation -> operation.also(Variant.VIRTUAL)).toList();
    }

    private static Stream<Operation> each() {
        return Stream.of(
                acquiring("acquire", "acquire()", CpuGuard::acquire),
                acquiring("acquireInterruptibly", "acquireInterruptibly()", CpuGuard::acquireInterruptibly),
                acquiring("tryAcquire", "tryAcquire()", CpuGuard::tryAcquire),
                acquiring(
                        "timed tryAcquire",
                        "tryAcquire(long, TimeUnit)",
                        () -> CpuGuard.tryAcquire(LONG_SECONDS, TimeUnit.SECONDS)),
                acquiring("acquire of a CPU", "acquire(CpuId)", () -> CpuGuard.acquire(CPUS.getLast())),
                acquiring("tryAcquire of a CPU", "tryAcquire(CpuId)", () -> CpuGuard.tryAcquire(CPUS.getLast())),
                new Operation("guard acquire, nested", "CpuGuard.acquire()", Nesting::new),
                waiting("acquire", "acquire()", CpuGuard::acquire),
                waiting("acquire of a CPU", "acquire(CpuId)", () -> CpuGuard.acquire(CPUS.getFirst())),
                waiting("acquireInterruptibly", "acquireInterruptibly()", CpuGuard::acquireInterruptibly),
                waiting(
                        "acquireInterruptibly of a CPU",
                        "acquireInterruptibly(CpuId)",
                        () -> CpuGuard.acquireInterruptibly(CPUS.getFirst())),
                waiting(
                        "timed tryAcquire",
                        "tryAcquire(long, TimeUnit)",
                        () -> CpuGuard.tryAcquire(LONG_SECONDS, TimeUnit.SECONDS)),
                waiting(
                        "timed tryAcquire of a CPU",
                        "tryAcquire(CpuId, long, TimeUnit)",
                        () -> CpuGuard.tryAcquire(CPUS.getFirst(), LONG_SECONDS, TimeUnit.SECONDS)),
                new Operation(
                        "guard acquire, after a dead owner",
                        "CpuGuard.acquire()",
                        () -> new TakingOver(CpuGuard::acquire)),
                new Operation(
                        "guard tryAcquire of a CPU, after a dead owner",
                        "CpuGuard.tryAcquire(CpuId)",
                        () -> new TakingOver(() -> CpuGuard.tryAcquire(CPUS.getFirst()))),
                new Operation("guard close", "CpuGuard.close()", () -> new Closing(CpuGuard::acquire)),
                new Operation(
                        "guard close of another CPU's",
                        "CpuGuard.close()",
                        () -> new Closing(() -> CpuGuard.acquire(CPUS.getFirst()))));
    }

    private static Operation acquiring(String name, String method, Callable<@Nullable CpuGuard> acquisition) {
        return new Operation("guard " + name, "CpuGuard." + method, () -> new Acquiring(acquisition));
    }

    private static Operation waiting(String name, String method, Callable<@Nullable CpuGuard> acquisition) {
        return new Operation("guard " + name + ", waiting", "CpuGuard." + method, () -> new Waiting(acquisition))
                .thatWaits();
    }

    /** A guard that nobody has. */
    private static class Acquiring extends Trial {
        private final Callable<@Nullable CpuGuard> acquisition;
        private @Nullable CpuGuard guard;

        Acquiring(Callable<@Nullable CpuGuard> acquisition) {
            this.acquisition = acquisition;
        }

        @Override
        void act() throws Exception {
            guard = acquisition.call();
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            CpuGuard acquired = guard;
            guard = null;
            if (acquired != null) {
                acquired.close();
            }
            check(acquired != null || thrown != null, "no guard");
            return acquired != null;
        }
    }

    /** A guard in another one. */
    private static final class Nesting extends Acquiring {
        private @Nullable CpuGuard outer;

        Nesting() {
            super(CpuGuard::acquire);
        }

        @Override
        void prepare() {
            outer = CpuGuard.acquire();
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            boolean did = super.verify(thrown);
            CpuGuard acquired = outer;
            outer = null;
            if (acquired != null) {
                acquired.close();
            }
            return did;
        }
    }

    /** Guards that another thread has, of all CPUs, until this one waits. */
    private static final class Waiting extends Acquiring {

        Waiting(Callable<@Nullable CpuGuard> acquisition) {
            super(acquisition);
        }

        @Override
        void prepare() throws Exception {
            AllGuards guards = other.call("acquiring all guards", AllGuards::acquire);
            other.runWhenThisThreadWaits(guards::close);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            other.finish("closing all guards");
            return super.verify(thrown);
        }
    }

    /** Guards that were left by a thread that has ended, of all CPUs. */
    private static final class TakingOver extends Acquiring {
        TakingOver(Callable<@Nullable CpuGuard> acquisition) {
            super(acquisition);
        }

        @Override
        void prepare() throws Exception {
            ThreadOfItsOwn.run(Variant.PLAIN, "dying", 0, () -> {
                AllGuards _ = AllGuards.acquire();
            });
        }
    }

    /** The end of a guard. */
    private static final class Closing extends Trial {
        private final Callable<@Nullable CpuGuard> acquisition;
        private @Nullable CpuGuard guard;

        Closing(Callable<@Nullable CpuGuard> acquisition) {
            this.acquisition = acquisition;
        }

        @Override
        void prepare() throws Exception {
            guard = acquisition.call();
        }

        @Override
        void act() {
            CpuGuard open = guard;
            if (open != null) {
                open.close();
            }
        }

        @Override
        boolean verify(@Nullable Throwable thrown) {
            CpuGuard left = guard;
            guard = null;
            if (thrown == null || left == null) {
                return true;
            }
            // As its documentation says, a close that an error broke off can be repeated.
            if (left.toString().contains("closed")) {
                return true;
            }
            left.close();
            return false;
        }
    }

    /** A guard of each CPU, by one thread: each is free when it is asked for. */
    static final class AllGuards {
        private final List<CpuGuard> guards;

        private AllGuards(List<CpuGuard> guards) {
            this.guards = guards;
        }

        static AllGuards acquire() {
            return new AllGuards(CPUS.stream().map(CpuGuard::acquire).toList());
        }

        /** Allocates nothing: if it failed with a full heap, whoever waits for the guards would wait for ever. */
        void close() {
            for (int i = guards.size() - 1; i >= 0; i--) {
                guards.get(i).close();
            }
        }
    }
}
