package dev.percpu.stress.failure;

import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PoolBuilder;
import dev.percpu.concurrent.Pooled;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.area.OwnPlaces;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The pool. After each round all of its objects are acquired, so each that was lost is missed. */
final class PoolTrials {
    private static final int CAPACITY = 4;
    private static final long LONG_SECONDS = 100;

    private static final String ACQUIRE = "PerCpuPool.acquire()";
    private static final String TRY = "PerCpuPool.tryAcquire()";
    private static final String TIMED = "PerCpuPool.tryAcquire(long, TimeUnit)";

    private PoolTrials() {}

    /** A way to acquire. */
    @FunctionalInterface
    private interface Acquisition {
        @Nullable
        Pooled<Object> from(PerCpuPool<Object> pool) throws InterruptedException;
    }

    static List<Operation> all() {
        Acquisition inTime = pool -> pool.tryAcquire(LONG_SECONDS, TimeUnit.SECONDS);
        List<Operation> all = new ArrayList<>();
        add(all, "acquire", ACQUIRE, PerCpuPool::acquire, Variant.VIRTUAL);
        add(all, "timed tryAcquire", TIMED, inTime, Variant.VIRTUAL);
        add(all, "tryAcquire", TRY, PerCpuPool::tryAcquire);
        all.add(waiting("acquire", ACQUIRE, PerCpuPool::acquire));
        all.add(waiting("timed tryAcquire", TIMED, inTime));
        all.add(pool("tryAcquire, all held", TRY, () -> new Refused(PerCpuPool::tryAcquire)));
        all.add(pool(
                        "timed tryAcquire, all held",
                        TIMED,
                        () -> new Refused(pool -> pool.tryAcquire(1, TimeUnit.MILLISECONDS)))
                .thatWaits()
                .also(Variant.VIRTUAL));
        all.add(releasing("release", "Pooled.release()", Pooled::release, false, false)
                .also(Variant.VIRTUAL));
        all.add(releasing("release, waited for", "Pooled.release()", Pooled::release, true, false)
                .also(Variant.VIRTUAL));
        all.add(releasing("close of a handle", "Pooled.close()", Pooled::close, false, false));
        all.add(releasing("discard", "Pooled.discard()", Pooled::discard, false, true));
        all.add(releasing("discard, waited for", "Pooled.discard()", Pooled::discard, true, true));
        all.add(pool("trim", "PerCpuPool.trim(int)", () -> new Trimming(false)));
        all.add(pool("release, closed", "Pooled.release()", ReleasingToClosed::new)
                .also(Variant.VIRTUAL));
        all.add(pool("close", "PerCpuPool.close()", Closing::new));
        all.replaceAll(operation -> operation.also(Variant.CHECKED));
        all.addAll(kept());
        return all;
    }

    /** Those of a pool whose hot threads keep objects. */
    private static List<Operation> kept() {
        return Stream.of(
                        new Operation(
                                "kept pool tryAcquire", TRY, () -> new AcquiringKept(PerCpuPool::tryAcquire, false)),
                        new Operation(
                                "kept pool tryAcquire, searched",
                                TRY,
                                () -> new AcquiringKept(PerCpuPool::tryAcquire, true)),
                        new Operation("kept pool release", "Pooled.release()", ReleasingKept::new),
                        new Operation("kept pool trim", "PerCpuPool.trim(int)", () -> new Trimming(true)))
                .map(operation -> operation.also(Variant.HOT))
                .toList();
    }

    private static Operation pool(String name, String method, Callable<Trial> factory) {
        return new Operation("pool " + name, method, factory);
    }

    /** There are idle objects, none was made yet, or one has to be searched for. */
    private static void add(
            List<Operation> all, String name, String method, Acquisition acquisition, Variant... variants) {
        all.add(pool(name, method, () -> new Acquiring(acquisition)).also(variants));
        all.add(pool(name + ", made", method, () -> new Making(acquisition)).also(variants));
        all.add(pool(name + ", found", method, () -> new Finding(acquisition)).also(variants));
    }

    private static Operation waiting(String name, String method, Acquisition acquisition) {
        return pool(name + ", waiting", method, () -> new Waiting(acquisition))
                .thatWaits()
                .also(Variant.VIRTUAL);
    }

    private static Operation releasing(
            String name, String method, Consumer<Pooled<Object>> release, boolean waitedFor, boolean discards) {
        Operation operation = pool(name, method, () -> new Releasing(release, waitedFor, discards));
        return waitedFor ? operation.thatIsWaitedFor() : operation;
    }

    private abstract static class OnPool extends Trial {
        int made;
        int destroyed;
        PerCpuPool<Object> pool;
        private final boolean kept;

        /** In a pool whose hot threads keep objects, enough that each can. */
        final int capacity;

        OnPool() {
            this(false);
        }

        /** @param kept whether a hot thread keeps what it releases */
        OnPool(boolean kept) {
            this.kept = kept;
            this.capacity = kept ? 4 * OwnPlaces.COUNT : CAPACITY;
            this.pool = newPool();
        }

        final PerCpuPool<Object> newPool() {
            made = 0;
            destroyed = 0;
            PoolBuilder<Object> builder = PerCpuPool.builder(capacity, () -> {
                Object object = new Object();
                made++;
                return object;
            });
            builder.destroy(_ -> destroyed++);
            return (kept ? builder.keepOnePerHotThread() : builder).build();
        }

        /** Has this hot thread keep an object, if it is one. All objects must be idle. */
        final void keepOne() throws Exception {
            if (!kept || !OwnPlaces.hasMine()) {
                return;
            }
            // The first use ends the pool's search, since so many objects are idle.
            pool.acquire().release();
            pool.acquire().release();
        }

        /** All objects can be had, each once. */
        final void checkComplete() throws Exception {
            other.run("acquiring all objects", () -> releaseAll(acquireAll()));
            same("objects made and not destroyed", capacity, made - destroyed);
        }

        final List<Pooled<Object>> acquireAll() throws InterruptedException {
            List<Pooled<Object>> all = new ArrayList<>();
            Set<Object> different = Collections.newSetFromMap(new IdentityHashMap<>());
            for (Pooled<Object> pooled; (pooled = pool.tryAcquire()) != null; ) {
                all.add(pooled);
                check(different.add(pooled.get()), "an object has two holders");
                check(all.size() <= capacity, "more objects than the capacity");
            }
            if (all.size() != capacity) {
                int found = all.size();
                releaseAll(all);
                throw new Violation(
                        "lost " + (capacity - found) + " of " + capacity + " objects: " + pool.statistics());
            }
            return all;
        }

        static void releaseAll(List<Pooled<Object>> all) {
            all.forEach(Pooled::release);
        }
    }

    /** Objects are idle, as a rule on this CPU. */
    private static class Acquiring extends OnPool {
        private final Acquisition acquisition;
        private @Nullable Pooled<Object> acquired;

        Acquiring(Acquisition acquisition) {
            this(acquisition, false);
        }

        /** @param kept whether a hot thread keeps what it releases */
        Acquiring(Acquisition acquisition, boolean kept) {
            super(kept);
            this.acquisition = acquisition;
        }

        @Override
        void prepare() throws Exception {
            acquired = null;
            releaseAll(acquireAll());
        }

        @Override
        void act() throws Exception {
            acquired = acquisition.from(pool);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            Pooled<Object> had = acquired;
            if (had != null) {
                had.release();
            }
            check(had != null || thrown != null, "no object");
            checkComplete();
            return had != null;
        }
    }

    /** The thread keeps one of the objects, unless another thread has searched for all since. */
    private static final class AcquiringKept extends Acquiring {
        private final boolean searched;

        AcquiringKept(Acquisition acquisition, boolean searched) {
            super(acquisition, true);
            this.searched = searched;
        }

        @Override
        void prepare() throws Exception {
            super.prepare();
            keepOne();
            if (searched) {
                other.run("acquiring and releasing all objects", () -> releaseAll(acquireAll()));
            }
        }
    }

    /** There is no object yet. */
    private static final class Making extends Acquiring {
        Making(Acquisition acquisition) {
            super(acquisition);
        }

        @Override
        void prepare() throws Exception {
            super.prepare();
            pool.close();
            pool = newPool();
        }
    }

    /**
     * The only idle object lies on another CPU's stack, if there is another CPU, so all stacks have to be searched.
     */
    private static final class Finding extends Acquiring {
        private List<Pooled<Object>> held = List.of();

        Finding(Acquisition acquisition) {
            super(acquisition);
        }

        @Override
        void prepare() throws Exception {
            super.prepare();
            pool = newPool();
            held = new ArrayList<>();
            for (int i = 0; i < capacity; i++) {
                held.add(pool.acquire());
            }
            Pooled<Object> last = held.removeLast();
            CpuId here = CpuId.current();
            boolean[] released = new boolean[1];
            CpuId.onEachCpu(cpu -> {
                if (!released[0] && (!cpu.equals(here) || CpuMask.usable().weight() == 1)) {
                    released[0] = true;
                    last.release();
                }
            });
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            releaseAll(held);
            return super.verify(thrown);
        }
    }

    /** Another thread has all objects, until this one waits. */
    private static final class Waiting extends Acquiring {
        Waiting(Acquisition acquisition) {
            super(acquisition);
        }

        @Override
        void prepare() throws Exception {
            super.prepare();
            List<Pooled<Object>> all = other.call("acquiring all objects", this::acquireAll);
            other.runWhenThisThreadWaits(() -> {
                // No iterator, for which there may be no memory either.
                for (int i = 0; i < all.size(); i++) {
                    OtherThread.insist(Pooled::release, all.get(i));
                }
            });
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            other.finish("releasing all objects");
            return super.verify(thrown);
        }
    }

    /** Another thread has all objects, and keeps them. */
    private static final class Refused extends OnPool {
        private final Acquisition acquisition;
        private List<Pooled<Object>> held = List.of();
        private @Nullable Pooled<Object> acquired;

        Refused(Acquisition acquisition) {
            this.acquisition = acquisition;
        }

        @Override
        void prepare() throws Exception {
            acquired = null;
            held = other.call("acquiring all objects", this::acquireAll);
        }

        @Override
        void act() throws Exception {
            acquired = acquisition.from(pool);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            check(acquired == null, "an object more than there are");
            other.run("releasing all objects", () -> releaseAll(held));
            checkComplete();
            return thrown == null;
        }
    }

    /** An object is given back or discarded; another thread may wait for it. */
    private static class Releasing extends OnPool {
        private final Consumer<Pooled<Object>> release;
        private final boolean waitedFor;

        /** An object that is released goes to the thread that waits. One that is discarded does not. */
        private final boolean mayBecomeAnothers;

        private @Nullable Thread waiter;

        /** Set by the thread that waits, as soon as it has an object. */
        private volatile boolean acquired;

        List<Pooled<Object>> held = List.of();

        Releasing(Consumer<Pooled<Object>> release, boolean waitedFor, boolean discards) {
            this(release, waitedFor, discards, false);
        }

        /** @param kept whether a hot thread keeps what it releases */
        Releasing(Consumer<Pooled<Object>> release, boolean waitedFor, boolean discards, boolean kept) {
            super(kept);
            this.release = release;
            this.waitedFor = waitedFor;
            this.mayBecomeAnothers = waitedFor && !discards;
        }

        @Override
        void prepare() throws Exception {
            held = acquireAll();
            acquired = false;
            if (waitedFor) {
                waiter = other.startWaiting(() -> {
                    Pooled<Object> pooled = acquireWhenThereIsMemory();
                    acquired = true;
                    OtherThread.insist(Pooled::release, pooled);
                });
            }
        }

        @Override
        void act() {
            release.accept(held.getFirst());
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            boolean did = true;
            if (thrown != null) {
                did = mayBecomeAnothers ? !releaseIfHeld(held.getFirst()) : !releaseAgain(held.getFirst());
            }
            other.finish("acquiring an object that was released");
            releaseAll(held.subList(1, held.size()));
            checkComplete();
            return did;
        }

        /** While the heap is full for the operation, it is full for the thread that waits, too. */
        private Pooled<Object> acquireWhenThereIsMemory() throws InterruptedException {
            while (true) {
                try {
                    return pool.acquire();
                } catch (OutOfMemoryError full) {
                    Thread.sleep(1);
                }
            }
        }

        /** As its documentation says, a second release throws if nobody has acquired the object since. */
        private boolean releaseAgain(Pooled<Object> pooled) {
            try {
                release.accept(pooled);
                return true;
            } catch (IllegalStateException released) {
                return false;
            }
        }

        /*
         * If another thread waits, a second release could be one of an object that the other has acquired meanwhile.
         * So the object is released again only if the first release did nothing. That is so if the object is held, and
         * then the other thread is seen waiting, and then it has acquired nothing. For suppose that the other thread
         * has made the object held:
         *
         *   waiter W                                this thread
         *   1. the object is W's: held
         *   2. acquired = true
         *   3. releases it, waits for its next task
         *                                           4. sees that W waits
         *                                           5. sees that W has acquired it
         *
         * Between 1 and 3 it waits for nothing, since this thread does nothing with the pool meanwhile. If the object
         * is not held, the release has begun, and the waiter finds the object by itself, after a second at most.
         */
        private boolean releaseIfHeld(Pooled<Object> pooled) throws InterruptedException {
            while (!acquired && isHeld(pooled)) {
                if (waiter != null && OtherThread.waits(waiter) && !acquired) {
                    release.accept(pooled);
                    return true;
                }
                Thread.sleep(0, 100_000);
            }
            return false;
        }

        private static boolean isHeld(Pooled<Object> pooled) {
            return !pooled.toString().endsWith("not held");
        }
    }

    /** The thread keeps the object that it gives back. */
    private static final class ReleasingKept extends Releasing {
        ReleasingKept() {
            super(Pooled::release, false, false, true);
        }

        @Override
        void prepare() throws Exception {
            releaseAll(acquireAll());
            keepOne();
            held = List.of(pool.acquire());
        }
    }

    /** All objects but one are destroyed while they are idle. */
    private static final class Trimming extends OnPool {
        private int before;
        private int trimmed;

        Trimming(boolean kept) {
            super(kept);
        }

        @Override
        void prepare() throws Exception {
            releaseAll(acquireAll());
            keepOne();
            before = destroyed;
            trimmed = 0;
        }

        @Override
        void act() {
            trimmed = pool.trim(1);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            int gone = destroyed - before;
            if (thrown == null) {
                same("objects that were trimmed", capacity - 1, trimmed);
                same("objects destroyed", trimmed, gone);
            }
            // What an error left undone, the next call finishes.
            other.run("trimming again", () -> {
                int _ = pool.trim(1);
            });
            same("objects destroyed in the end", capacity - 1, destroyed - before);
            checkComplete();
            return gone == capacity - 1;
        }
    }

    /** An object is given back to a pool that is closed, which destroys it. */
    private static final class ReleasingToClosed extends OnPool {
        private @Nullable Pooled<Object> held;

        @Override
        void prepare() throws Exception {
            pool = newPool();
            held = pool.acquire();
            pool.close();
        }

        @Override
        void act() {
            Pooled<Object> pooled = held;
            if (pooled != null) {
                pooled.release();
            }
        }

        @Override
        boolean verify(@Nullable Throwable thrown) {
            boolean did = destroyed == 1;
            if (!did && held != null) {
                held.release();
            }
            same("objects destroyed", 1, destroyed);
            check(did || thrown != null, "a released object was not destroyed");
            return did;
        }
    }

    /** A pool is closed, while an object is held. */
    private static final class Closing extends OnPool {
        private @Nullable Pooled<Object> held;

        @Override
        void prepare() throws Exception {
            pool = newPool();
            releaseAll(acquireAll());
            held = pool.acquire();
        }

        @Override
        void act() {
            pool.close();
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            boolean did = destroyed == capacity - 1;
            check(did || thrown != null, "idle objects were not destroyed");
            if (!did) {
                // It is as open as it was, or goes on where it failed.
                other.run("closing again", pool::close);
            }
            if (held != null) {
                held.release();
            }
            same("objects destroyed", capacity, destroyed);
            return did;
        }
    }
}
