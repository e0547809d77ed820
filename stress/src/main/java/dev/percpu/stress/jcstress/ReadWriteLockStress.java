package dev.percpu.stress.jcstress;

import dev.percpu.concurrent.PerCpuReadWriteLock;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.ZZZ_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** A writer is alone, and what it and the readers do is in order. */
public class ReadWriteLockStress {
    private ReadWriteLockStress() {}

    /** Two plain fields that a writer changes and a reader compares. */
    @JCStressTest
    @State
    @Outcome(id = "0, 0", expect = Expect.ACCEPTABLE, desc = "The reader came first.")
    @Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "The writer came first.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "The reader saw the writer's work half done.")
    @SuppressWarnings("LockNotBeforeTry") // nothing throws here
    public static class Publication {
        private final PerCpuReadWriteLock lock = new PerCpuReadWriteLock();
        private int first;
        private int second;

        @Actor
        public void write() {
            lock.writeLock().lock();
            first = 1;
            second = 1;
            lock.writeLock().unlock();
        }

        @Actor
        public void read(II_Result result) {
            lock.readLock().lock();
            result.r1 = first;
            result.r2 = second;
            lock.readLock().unlock();
        }
    }

    /** A thread that gets in stays in, so only one of the two may. */
    @JCStressTest
    @State
    @Outcome(id = "true, false", expect = Expect.ACCEPTABLE, desc = "The writer is inside.")
    @Outcome(id = "false, true", expect = Expect.ACCEPTABLE, desc = "The reader is inside.")
    @Outcome(id = "false, false", expect = Expect.ACCEPTABLE, desc = "They got in each other's way, which is allowed.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "A reader is inside with a writer.")
    public static class Exclusion {
        private final PerCpuReadWriteLock lock = new PerCpuReadWriteLock();

        @Actor
        public void write(ZZ_Result result) {
            result.r1 = lock.writeLock().tryLock();
        }

        @Actor
        public void read(ZZ_Result result) {
            result.r2 = lock.readLock().tryLock();
        }
    }

    /** A writer that gives up forgets no reader and invents none. */
    @JCStressTest
    @State
    @Outcome(id = ".*, false, true", expect = Expect.ACCEPTABLE, desc = "Refused with a reader inside, then let in.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "The count of readers is wrong.")
    @SuppressWarnings("LockNotBeforeTry") // nothing throws here
    public static class GivingUp {
        private final PerCpuReadWriteLock lock = new PerCpuReadWriteLock();

        @Actor
        public void writeIfPossible(ZZZ_Result result) {
            result.r1 = lock.writeLock().tryLock();
            if (result.r1) {
                lock.writeLock().unlock();
            }
        }

        @Actor
        public void readTwice() {
            lock.readLock().lock();
            lock.readLock().unlock();
            lock.readLock().lock();
        }

        @Arbiter
        public void write(ZZZ_Result result) {
            result.r2 = lock.writeLock().tryLock();
            lock.readLock().unlock();
            result.r3 = lock.writeLock().tryLock();
        }
    }
}
