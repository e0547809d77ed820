package dev.percpu.internal.backend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.internal.area.Area;
import dev.percpu.testing.Jvm;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A self-test that an error breaks off. It runs in the interpreter, which takes too long in an emulated machine. */
@Tag("rseq")
class BrokenOffSelfTestTest {
    /** Its threads write there, and an error can come after each of their starts. */
    @Test
    void aTestThatTheStackBreaksOffKeepsItsMemoryUntilItsThreadsHaveEnded() {
        assertThat(Jvm.asHere().option("-Xint").outputOf(BrokenOff.class))
                .contains("both were broken off while a thread ran");
    }

    /** Runs the tests at each depth of the stack from where it overflows on, until there is enough. */
    static final class BrokenOff {
        private static final long STACK_BYTES = 1 << 18;
        private static final int ENOUGH = 20;

        private static final Set<Thread> STARTED = ConcurrentHashMap.newKeySet();
        private static volatile long used;
        private static int deepest;

        private BrokenOff() {}

        public static void main(String[] arguments) throws InterruptedException {
            Thread thread = new Thread(null, BrokenOff::sweep, "shallow", STACK_BYTES);
            thread.start();
            thread.join();
        }

        private static void sweep() {
            try {
                untilBrokenOff(() -> SelfTest.deep(_ -> BrokenOff::write, SelfTest.DEEP_ROUNDS));
                untilBrokenOff(() -> SelfTest.seeAnAbort(_ -> BrokenOff::write));
                System.out.println("both were broken off while a thread ran");
            } catch (Throwable t) {
                t.printStackTrace();
                // A thread that nobody tells to stop would keep the JVM.
                Runtime.getRuntime().halt(1);
            }
        }

        /** By chance, a thread that is told to stop before it begins writes nothing. */
        private static void untilBrokenOff(Runnable test) throws InterruptedException {
            while (brokenOff(test) == 0) {
                Thread.onSpinWait();
            }
        }

        /** What a thread does instead of an addition: it takes some time, and then the thread ends. */
        private static void write(long position) {
            used = position;
            STARTED.add(Thread.currentThread());
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
            throw new IllegalStateException("the end");
        }

        /** How often a thread had started when the stack ended. */
        private static int brokenOff(Runnable test) throws InterruptedException {
            boolean _ = down(0, test);
            deepest = 0;
            boolean _ = down(Integer.MAX_VALUE, test);
            int bottom = deepest;
            int brokenOff = 0;
            for (int passed = 0, spare = 0; passed < ENOUGH; spare++) {
                STARTED.clear();
                deepest = 0;
                if (down(bottom - spare, test)) {
                    passed++;
                } else if (!STARTED.isEmpty()) {
                    brokenOff++;
                    long position = Area.allocate(2L * Long.BYTES, Long.BYTES, "the next variable");
                    if (position == used && STARTED.stream().anyMatch(Thread::isAlive)) {
                        throw new AssertionError("a thread writes to memory that was given back");
                    }
                    Area.free(position, 2L * Long.BYTES);
                    for (Thread thread : STARTED) {
                        thread.join();
                    }
                }
            }
            return brokenOff;
        }

        /** Runs a test so many calls deep; false if the stack overflowed. */
        private static boolean down(int levels, Runnable test) {
            deepest++;
            try {
                if (levels > 0) {
                    return down(levels - 1, test);
                }
                test.run();
                throw new AssertionError("no thread has failed");
            } catch (RseqUnavailableException e) {
                return true;
            } catch (StackOverflowError e) {
                return false;
            }
        }
    }
}
