package dev.percpu.stress.failure;

import dev.percpu.concurrent.PerCpuReadWriteLock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;

/** The read-write lock: each way to lock, free and taken, and the unlocking of both locks. */
final class LockTrials {
    private static final long LONG_SECONDS = 100;

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

    static List<Operation> all() {
        List<Operation> all = new ArrayList<>();
        for (Kind kind : Kind.values()) {
            String name = kind.text() + " lock ";
            add(all, kind, "lock", LockTrials::lock);
            add(all, kind, "lockInterruptibly", LockTrials::lockInterruptibly);
            add(all, kind, "timed tryLock", lock -> lock.tryLock(LONG_SECONDS, TimeUnit.SECONDS));
            all.add(new Operation(name + "tryLock", other -> new LockingTrial(other, kind, Lock::tryLock)));
            all.add(new Operation(name + "tryLock, taken", other -> new Refused(other, kind, Lock::tryLock)));
            all.add(new Operation(
                    name + "timed tryLock, taken",
                    other -> new Refused(other, kind, lock -> lock.tryLock(1, TimeUnit.MILLISECONDS))));
            all.add(new Operation(name + "unlock", other -> new Unlocking(other, kind, false)));
            all.add(new Operation(name + "unlock, waited for", other -> new Unlocking(other, kind, true)));
        }
        all.add(new Operation("write lock lock, reentrant", Reentrant::new));
        all.add(new Operation("read lock lock, as the writer", Downgrading::new));
        return all;
    }

    private static void add(List<Operation> all, Kind kind, String name, Locking locking) {
        all.add(new Operation(kind.text() + " lock " + name, other -> new LockingTrial(other, kind, locking)));
        all.add(new Operation(
                kind.text() + " lock " + name + ", waiting", other -> new WaitingTrial(other, kind, locking)));
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
        final OtherThread other;
        final PerCpuReadWriteLock lock = new PerCpuReadWriteLock();

        OnLock(OtherThread other) {
            this.other = other;
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
        private boolean locked;

        LockingTrial(OtherThread other, Kind kind, Locking locking) {
            super(other);
            this.kind = kind;
            this.locking = locking;
        }

        @Override
        void prepare() throws Exception {
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
        private final Lock others;

        WaitingTrial(OtherThread other, Kind kind, Locking locking) {
            super(other, kind, locking);
            others = kind.opposite().of(lock);
        }

        @Override
        void prepare() throws Exception {
            super.prepare();
            other.run("locking", others::lock);
            other.runWhenThisThreadWaits(others::unlock);
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            other.finish("unlocking");
            return super.verify(thrown);
        }
    }

    /** Another thread has the lock, and keeps it. */
    private static final class Refused extends OnLock {
        private final Kind kind;
        private final Locking locking;
        private boolean locked;

        Refused(OtherThread other, Kind kind, Locking locking) {
            super(other);
            this.kind = kind;
            this.locking = locking;
        }

        @Override
        void prepare() throws Exception {
            locked = false;
            other.run("locking", kind.opposite().of(lock)::lock);
        }

        @Override
        void act() throws Exception {
            locked = locking.by(kind.of(lock));
        }

        @Override
        boolean verify(@Nullable Throwable thrown) throws Exception {
            check(!locked, "the lock was had twice");
            other.run("unlocking", kind.opposite().of(lock)::unlock);
            checkFree();
            return thrown == null;
        }
    }

    /** The end of a lock, which another thread may wait for. */
    private static final class Unlocking extends OnLock {
        private final Kind kind;
        private final boolean waitedFor;

        Unlocking(OtherThread other, Kind kind, boolean waitedFor) {
            super(other);
            this.kind = kind;
            this.waitedFor = waitedFor;
        }

        @Override
        void prepare() throws Exception {
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

        Reentrant(OtherThread other) {
            super(other);
        }

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

        Downgrading(OtherThread other) {
            super(other);
        }

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
}
