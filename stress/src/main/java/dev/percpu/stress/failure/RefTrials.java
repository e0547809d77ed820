package dev.percpu.stress.failure;

import dev.percpu.concurrent.PerCpuRef;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The reference count. After each round it is counted out, by killing the ref and putting until it is released. */
final class RefTrials {
    private static final long LONG_SECONDS = 100;

    private RefTrials() {}

    static List<Operation> all() {
        return each().map(operation -> operation.also(Variant.HOT)).toList();
    }

    private static Stream<Operation> each() {
        return Stream.of(
                using("get", "get()", 1, false, PerCpuRef::get).also(Variant.VIRTUAL),
                trying("tryGet", PerCpuRef::tryGet),
                trying("tryGetLive", PerCpuRef::tryGetLive),
                using("put", "put()", -1, false, PerCpuRef::put).also(Variant.VIRTUAL),
                using("get of several", "get(int)", 3, false, ref -> ref.get(3)).also(Variant.VIRTUAL),
                using("put of several", "put(int)", -2, false, ref -> ref.put(2))
                        .also(Variant.VIRTUAL),
                using("get, killed", "get()", 1, true, PerCpuRef::get).also(Variant.VIRTUAL),
                using("put, killed", "put()", -1, true, PerCpuRef::put).also(Variant.VIRTUAL),
                operation("kill, in use", "kill()", () -> new Killing(1)),
                operation("kill, not in use", "kill()", () -> new Killing(0)),
                awaiting("killAndAwait", true),
                awaiting("killAndAwait, in vain", false),
                operation("put, the last", "put()", LastPut::new).also(Variant.VIRTUAL),
                operation("reinit", "reinit()", () -> new Reviving(0)),
                operation("resurrect", "resurrect()", () -> new Reviving(1)));
    }

    private static Operation operation(String name, String method, Callable<Trial> factory) {
        return new Operation("ref " + name, "PerCpuRef." + method, factory);
    }

    private static Operation using(String name, String method, int delta, boolean killed, Consumer<PerCpuRef> use) {
        return operation(
                name,
                method,
                () -> new Using(delta, killed, ref -> {
                    use.accept(ref);
                    return true;
                }));
    }

    private static Operation trying(String method, Predicate<PerCpuRef> use) {
        return operation(method, method + "()", () -> new Using(1, false, use));
    }

    private static Operation awaiting(String name, boolean inTime) {
        return operation(name, "killAndAwait(long, TimeUnit)", () -> new Awaiting(inTime))
                .also(Variant.VIRTUAL)
                .thatWaits();
    }

    private abstract static class OnRef extends Trial {
        private int released;
        final PerCpuRef ref = new PerCpuRef(() -> released++);

        final int released() {
            return released;
        }

        final void get(int times) {
            for (int i = 0; i < times; i++) {
                ref.get();
            }
        }

        /** How many references there are beside the initial one; afterwards there are none, and the ref is live. */
        final long countOut() throws Exception {
            return other.call("counting references", () -> {
                released = 0;
                if (!ref.isKilled()) {
                    ref.kill();
                }
                long count = 0;
                while (!ref.isZero()) {
                    ref.put();
                    count++;
                }
                same("release actions", 1, released);
                ref.reinit();
                return count;
            });
        }
    }

    /** A ref in use, live or killed. */
    private static final class Using extends OnRef {
        private static final int REFERENCES = 3;

        private final int delta;
        private final boolean killed;
        private final Predicate<PerCpuRef> use;
        private boolean did;

        Using(int delta, boolean killed, Predicate<PerCpuRef> use) {
            this.delta = delta;
            this.killed = killed;
            this.use = use;
        }

        @Override
        void prepare() {
            get(REFERENCES);
            if (killed) {
                boolean _ = ref.kill();
            }
            did = false;
        }

        @Override
        void act() {
            did = use.test(ref);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            long count = countOut();
            if (delta > 0 && !killed && thrown != null) {
                same("references after a get that failed", REFERENCES, count);
            }
            check(did || thrown != null, "no reference");
            return beforeOrAfter("references", REFERENCES, REFERENCES + delta, count, thrown);
        }
    }

    /** The initial reference is given up. */
    private static final class Killing extends OnRef {
        private final int references;
        private int before;

        Killing(int references) {
            this.references = references;
        }

        @Override
        void prepare() {
            get(references);
            before = released();
        }

        @Override
        void act() {
            boolean _ = ref.kill();
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            boolean killed = ref.isKilled();
            check(killed || thrown != null, "not killed");
            if (killed && references == 0) {
                // The release action cannot be called again by anybody, so it must have been called.
                same("release actions", 1, released() - before);
                ref.reinit();
                return true;
            }
            same("release actions of a ref in use", 0, released() - before);
            same("references", references, countOut());
            return killed;
        }
    }

    /** The ref is killed, and its last reference waited for, which another thread gives back in time or not. */
    private static final class Awaiting extends OnRef {
        private final boolean inTime;
        private int before;
        private boolean came;

        Awaiting(boolean inTime) {
            this.inTime = inTime;
        }

        @Override
        void prepare() {
            get(1);
            before = released();
            came = false;
            if (inTime) {
                other.runWhenThisThreadWaits(ref::put);
            }
        }

        @Override
        void act() throws InterruptedException {
            came = inTime
                    ? ref.killAndAwait(LONG_SECONDS, TimeUnit.SECONDS)
                    : ref.killAndAwait(1, TimeUnit.MILLISECONDS);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            if (!inTime) {
                other.runWhenThisThreadWaits(ref::put);
            }
            other.finish("putting the last reference");
            check(thrown != null || came == inTime, came ? "it came too early" : "it came in time");
            boolean killed = ref.isKilled();
            check(killed || thrown != null, "not killed");
            if (killed) {
                check(ref.isZero(), "all references are given back, and it is not zero: " + ref);
                same("release actions", 1, released() - before);
                ref.reinit();
            } else {
                same("references", 0, countOut());
            }
            return killed;
        }
    }

    /** The last reference of a killed ref. */
    private static final class LastPut extends OnRef {
        private int before;

        @Override
        void prepare() {
            get(1);
            boolean _ = ref.kill();
            before = released();
        }

        @Override
        void act() {
            ref.put();
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            if (ref.isZero()) {
                same("release actions", 1, released() - before);
                ref.reinit();
                return true;
            }
            same("release actions of a ref in use", 0, released() - before);
            same("references", 1, countOut());
            check(thrown != null, "the put did nothing");
            return false;
        }
    }

    /** A killed ref comes back to life. */
    private static final class Reviving extends OnRef {
        private final int references;

        Reviving(int references) {
            this.references = references;
        }

        @Override
        void prepare() {
            get(references);
            boolean _ = ref.kill();
        }

        @Override
        void act() {
            if (references == 0) {
                ref.reinit();
            } else {
                check(ref.resurrect(), "it was not in use");
            }
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            boolean live = !ref.isKilled();
            check(live || thrown != null, "still killed");
            if (!live) {
                other.run("reviving again", this::act);
            }
            get(2);
            same("references", references + 2, countOut());
            return live;
        }
    }
}
