package dev.percpu.stress.failure;

import dev.percpu.concurrent.PerCpuReadWriteLock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;

/** The read-write lock: each way to lock, free and taken, and the unlocking of both locks. */
final class LockTrials {
    private static final long LONG_SECONDS = 100;

    private static final String INTERRUPTIBLY = "Lock.lockInterruptibly()";
    private static final String TRY = "Lock.tryLock()";
    private static final String TIMED = "Lock.tryLock(long, TimeUnit)";

    private LockTrials() {}

    /** A way to lock. */
    @FunctionalInterface
    private interface Locking {
        /** @return whether the lock was had */
        boolean by(Lock lock) throws InterruptedException;
    }

    private enum Kind {
        READ,
        WRITE;

        Lock of(PerCpuReadWriteLock lock) {
            return this == READ ? lock.readLock() : lock.writeLock();
        }

        String text() {
            return this == READ ? "read" : "write";
        }

        Kind opposite() {
            return this == READ ? WRITE : READ;
        }
    }

    /** What readers count themselves in, which depends on how many came since the last writer. */
    private enum Counter {
        /** As in a new lock. */
        WORD(0, ""),
        STRIPES(100, ", striped"),
        TALLY(4_000, ", per CPU");

        /** How many readers there are before each round, of a new lock; 0 if the lock stays the same one. */
        private final int readers;

        private final String suffix;

        Counter(int readers, String suffix) {
            this.readers = readers;
            this.suffix = suffix;
        }

        /** An operation, and the circumstances that matter to it with this counter. */
        Operation operation(Kind kind, String name, String method, Callable<Trial> factory) {
            Operation operation = new Operation(kind.text() + " lock " + name + suffix, method, factory);
            return switch (this) {
                case WORD -> operation.also(Variant.VIRTUAL, Variant.CHECKED);
                case STRIPES -> operation;
                // Only the tally uses a place of the thread's own.
                case TALLY -> operation.also(Variant.HOT);
            };
        }
    }

    static List<Operation> all() {
        List<Operation> all = new ArrayList<>();
        addAll(all, Counter.WORD);
        for (Kind kind : Kind.values()) {
            add(all, Counter.WORD, kind, "lockInterruptibly", INTERRUPTIBLY, LockTrials::lockInterruptibly);
            add(all, Counter.WORD, kind, "timed tryLock", TIMED, lock -> lock.tryLock(LONG_SECONDS, TimeUnit.SECONDS));
            all.add(checked(kind, "tryLock", TRY, () -> new LockingTrial(Counter.WORD, kind, Lock::tryLock)));
            all.add(checked(kind, "tryLock, taken", TRY, () -> new Refused(kind, Lock::tryLock)));
            all.add(checked(
                    kind,
                    "timed tryLock, taken",
                    TIMED,
                    () -> new Refused(kind, lock -> lock.tryLock(1, TimeUnit.MILLISECONDS))));
        }
        all.add(checked(Kind.WRITE, "lock, reentrant", "Lock.lock()", Reentrant::new)
                .also(Variant.VIRTUAL));
        all.add(checked(Kind.READ, "lock, as the writer", "Lock.lock()", Downgrading::new)
                .also(Variant.VIRTUAL));
        all.add(checked(Kind.WRITE, "newCondition", "Lock.newCondition()", MakingCondition::new));
        addAll(all, Counter.STRIPES);
        addAll(all, Counter.TALLY);
        return all;
    }

    private static Operation checked(Kind kind, String name, String method, Callable<Trial> factory) {
        return new Operation(kind.text() + " lock " + name, method, factory).also(Variant.CHECKED);
    }

    /** What depends on the counter. */
    private static void addAll(List<Operation> all, Counter counter) {
        for (Kind kind : Kind.values()) {
            add(all, counter, kind, "lock", "Lock.lock()", LockTrials::lock);
            all.add(counter.operation(kind, "unlock", "Lock.unlock()", () -> new Unlocking(counter, kind, false)));
            all.add(counter.operation(
                            kind, "unlock, waited for", "Lock.unlock()", () -> new Unlocking(counter, kind, true))
                    .thatIsWaitedFor());
        }
    }

    private static void add(
            List<Operation> all, Counter counter, Kind kind, String name, String method, Locking locking) {
        all.add(counter.operation(kind, name, method, () -> new LockingTrial(counter, kind, locking)));
        all.add(counter.operation(kind, name + ", waiting", method, () -> new WaitingTrial(counter, kind, locking))
                .thatWaits());
    }

    @SuppressWarnings("LockNotBeforeTry") // it is unlocked in another method
    private static boolean lock(Lock lock) {
        lock.lock();
        return true;
    }

    @SuppressWarnings("LockNotBeforeTry") // it is unlocked in another method
    private static boolean lockInterruptibly(Lock lock) throws InterruptedException {
        lock.lockInterruptibly();
        return true;
    }

    /** What the trials have in common: a lock that must be free in the end. */
    private abstract static class OnLock extends Trial {
        private final Counter counter;
        PerCpuReadWriteLock lock = new PerCpuReadWriteLock();

        OnLock() {
            this(Counter.WORD);
        }

        OnLock(Counter counter) {
            this.counter = counter;
        }

        @Override
        void prepare() throws Exception {
            if (counter.readers > 0) {
                lock = new PerCpuReadWriteLock();
                for (int i = 0; i < counter.readers; i++) {
                    use(lock.readLock());
                }
            }
        }

        /** Another thread can have both locks, and many readers can be in at a time. */
        final void checkFree() throws Exception {
            other.run("locking a lock that is free", () -> {
                use(lock.writeLock());
                use(lock.readLock());
                use(lock.writeLock());
            });
        }

        @SuppressWarnings("LockNotBeforeTry") // there is nothing in between
        static void use(Lock lock) {
            lock.lock();
            lock.unlock();
        }
    }

    /** The lock is free. */
    private static class LockingTrial extends OnLock {
        private final Kind kind;
        private final Locking locking;
        boolean locked;

        LockingTrial(Counter counter, Kind kind, Locking locking) {
            super(counter);
            this.kind = kind;
            this.locking = locking;
        }

        @Override
        void prepare() throws Exception {
            super.prepare();
            locked = false;
        }

        @Override
        void act() throws Exception {
            locked = locking.by(kind.of(lock));
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            if (kind == Kind.WRITE) {
                check(lock.isWriteLockedByCurrentThread() == locked, "the write lock is had, and locking it failed");
            }
            check(locked || thrown != null, "the lock was not had");
            boolean had = locked;
            if (had) {
                kind.of(lock).unlock();
            }
            checkFree();
            return had;
        }
    }

    /** Another thread has the lock, until this one waits. */
    private static final class WaitingTrial extends LockingTrial {
        private final Kind others;

        WaitingTrial(Counter counter, Kind kind, Locking locking) {
            super(counter, kind, locking);
            others = kind.opposite();
        }

        @Override
        void prepare() throws Exception {
            super.prepare();
            Lock held = others.of(lock);
            other.run("locking", held::lock);
            other.runWhenThisThreadWaits(() -> OtherThread.insist(Lock::unlock, held));
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            other.finish("unlocking");
            return super.verify(thrown);
        }
    }

    /** Another thread has the lock, and keeps it. */
    private static final class Refused extends LockingTrial {
        private final Kind others;

        Refused(Kind kind, Locking locking) {
            super(Counter.WORD, kind, locking);
            others = kind.opposite();
        }

        @Override
        void prepare() throws Exception {
            super.prepare();
            other.run("locking", others.of(lock)::lock);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            check(!locked, "the lock was had twice");
            other.run("unlocking", others.of(lock)::unlock);
            checkFree();
            return thrown == null;
        }
    }

    /** The end of a lock, which another thread may wait for. */
    private static final class Unlocking extends OnLock {
        private final Kind kind;
        private final boolean waitedFor;

        Unlocking(Counter counter, Kind kind, boolean waitedFor) {
            super(counter);
            this.kind = kind;
            this.waitedFor = waitedFor;
        }

        @Override
        void prepare() throws Exception {
            super.prepare();
            kind.of(lock).lock();
            if (waitedFor) {
                Lock wanted = kind.opposite().of(lock);
                Thread _ = other.startWaiting(() -> use(wanted));
            }
        }

        @Override
        void act() {
            kind.of(lock).unlock();
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            boolean did = thrown == null || !unlockIfLocked();
            other.finish("locking a lock that was unlocked");
            checkFree();
            return did;
        }

        /** Unlocks what is locked still, if that can be said: the lock does not tell how many readers there are. */
        private boolean unlockIfLocked() throws Exception {
            if (kind == Kind.WRITE) {
                if (!lock.isWriteLockedByCurrentThread()) {
                    return false;
                }
                lock.writeLock().unlock();
                return true;
            }
            if (waitedFor ? !readerIsGone() : !other.call("trying to write", this::tryWriting)) {
                lock.readLock().unlock();
                return true;
            }
            return false;
        }

        private boolean tryWriting() {
            if (!lock.writeLock().tryLock()) {
                return false;
            }
            lock.writeLock().unlock();
            return true;
        }

        /** While a writer waits, the lock knows its readers. Here there is one at most. */
        private boolean readerIsGone() {
            return !lock.toString().contains("Read locks = 1");
        }
    }

    /** The write lock is locked by this thread already. */
    private static final class Reentrant extends OnLock {
        private boolean locked;

        @Override
        void prepare() {
            locked = false;
            lock.writeLock().lock();
        }

        @Override
        void act() {
            lock.writeLock().lock();
            locked = true;
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            if (locked) {
                lock.writeLock().unlock();
            }
            check(lock.isWriteLockedByCurrentThread(), "the outer lock was unlocked with the inner one");
            lock.writeLock().unlock();
            check(!lock.isWriteLockedByCurrentThread(), "the lock is had once more than it was locked");
            checkFree();
            return locked;
        }
    }

    /** The writer locks the read lock. */
    private static final class Downgrading extends OnLock {
        private boolean locked;

        @Override
        void prepare() {
            locked = false;
            lock.writeLock().lock();
        }

        @Override
        void act() {
            lock.readLock().lock();
            locked = true;
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            lock.writeLock().unlock();
            if (locked) {
                boolean written = other.call("trying to write", lock.writeLock()::tryLock);
                if (written) {
                    other.run("unlocking", lock.writeLock()::unlock);
                }
                check(!written, "a writer is in with a reader");
                lock.readLock().unlock();
            }
            checkFree();
            return locked;
        }
    }

    /** A condition of the write lock is made. */
    private static final class MakingCondition extends OnLock {
        private @Nullable Condition made;

        @Override
        void act() {
            made = lock.writeLock().newCondition();
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            boolean did = made != null;
            made = null;
            check(did || thrown != null, "no condition");
            checkFree();
            return did;
        }
    }
}
