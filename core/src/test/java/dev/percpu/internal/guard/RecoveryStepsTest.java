package dev.percpu.internal.guard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.CpuGuard;
import dev.percpu.internal.protocol.GuardWords;
import dev.percpu.testing.Effort;
import dev.percpu.testing.Workers;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Phaser;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What an owner does between two steps of a waiting thread that suspects it of having left a guard behind. */
class RecoveryStepsTest {
    private static final int CPU = 0;

    private static final StackTraceElement[] IN_ITS_OWN_CODE = {frame("com.example.Program")};
    private static final StackTraceElement[] IN_GUARDS = {frame(CpuGuard.class.getName()), frame("com.example.Program")
    };

    private static StackTraceElement frame(String className) {
        return new StackTraceElement(className, "method", "File.java", 1);
    }

    /** An owner that runs only while its stack is looked at: before each look it does its next steps. */
    private static final class Owner extends Thread {
        private final Supplier<StackTraceElement[]> first;
        private final Supplier<StackTraceElement[]> second;
        private int looks;

        private Owner(Supplier<StackTraceElement[]> first, Supplier<StackTraceElement[]> second) {
            this.first = first;
            this.second = second;
        }

        @Override
        public StackTraceElement[] getStackTrace() {
            looks++;
            return looks == 1 ? first.get() : second.get();
        }
    }

    @BeforeEach
    void nobodyOwnsTheCpu() {
        Ownership.setGuardClass(CpuGuard.class.getName());
        assertThat(Ownership.word(CPU)).isEqualTo(Recovery.FREE);
    }

    @AfterEach
    void freeTheCpu() {
        OpenGuards.setCount(CPU, 0);
        Ownership.release(CPU);
    }

    private static void acquire(Thread owner) {
        assertThat(Ownership.compareAndSetWord(CPU, Recovery.FREE, owner.threadId()))
                .isTrue();
        OpenGuards.setCount(CPU, 1);
    }

    /** Whether the CPU is taken away from an owner that has no open guard. */
    private static boolean isFreed(Owner owner) {
        acquire(owner);
        OpenGuards.setCount(CPU, 0);
        return Recovery.freeUnlessInside(CPU, owner, owner.threadId());
    }

    @Test
    void anOwnerThatIsAboutToFreeTheCpuItselfKeepsIt() {
        Owner owner = new Owner(() -> IN_ITS_OWN_CODE, () -> IN_GUARDS);
        assertThat(isFreed(owner)).isFalse();
        assertThat(Ownership.word(CPU)).isEqualTo(owner.threadId());
    }

    @Test
    void anOwnerThatCountsItsGuardMeanwhileKeepsTheCpu() {
        Owner owner = new Owner(
                () -> {
                    OpenGuards.setCount(CPU, 1);
                    return IN_ITS_OWN_CODE;
                },
                () -> IN_ITS_OWN_CODE);
        assertThat(isFreed(owner)).isFalse();
        assertThat(Ownership.word(CPU)).isEqualTo(owner.threadId());
    }

    @Test
    void anOwnerThatIsBetweenAcquiringAndCountingKeepsTheCpu() {
        Owner owner = new Owner(() -> IN_GUARDS, () -> IN_ITS_OWN_CODE);
        assertThat(isFreed(owner)).isFalse();
        assertThat(Ownership.word(CPU)).isEqualTo(owner.threadId());
    }

    @Test
    void whatAnotherOwnerHasByThenIsNotFreed() {
        Owner next = new Owner(() -> IN_ITS_OWN_CODE, () -> IN_ITS_OWN_CODE);
        Owner owner = new Owner(() -> IN_ITS_OWN_CODE, () -> {
            // It frees the CPU, and another thread acquires it.
            Ownership.release(CPU);
            acquire(next);
            return IN_ITS_OWN_CODE;
        });
        assertThat(isFreed(owner)).isFalse();
        assertThat(Ownership.word(CPU)).isEqualTo(next.threadId());
        assertThat(OpenGuards.count(CPU)).isEqualTo(1);
    }

    @Test
    void whatAnErrorLeftBehindIsFreed() {
        Owner owner = new Owner(() -> IN_ITS_OWN_CODE, () -> IN_ITS_OWN_CODE);
        assertThat(isFreed(owner)).isTrue();
        assertThat(Ownership.word(CPU)).isEqualTo(Recovery.FREE);
    }

    /** It would have the CPU again a moment later, but others could come first. */
    @Test
    void whoAcquiresANestedGuardDoesNotFreeTheCpuForThat() {
        Thread me = Thread.currentThread();
        acquire(me);
        assertThat(Recovery.freeIfAbandoned(me, CPU)).isFalse();
        assertThat(Ownership.word(CPU)).isEqualTo(me.threadId());
    }

    /** The thread that frees a CPU marks its word as being freed, and an error may end it there. */
    @Test
    void whatAnErrorLeftHalfFreedIsFreed() {
        assertThat(Ownership.compareAndSetWord(CPU, Recovery.FREE, GuardWords.SUSPECTED))
                .isTrue();
        OpenGuards.setCount(CPU, 1);
        long serial = OpenGuards.serial(CPU, 0);
        assertThat(Recovery.freeIfAbandoned(Thread.currentThread(), CPU)).isTrue();
        assertThat(Ownership.word(CPU)).isEqualTo(Recovery.FREE);
        assertThat(OpenGuards.count(CPU)).isZero();
        assertThat(OpenGuards.serial(CPU, 0)).isNotEqualTo(serial);
    }

    /** The thread that suspects an owner marks the word, and an error may end it there. */
    @Test
    void whatAnErrorLeftSuspectedIsFreed() {
        Owner owner = new Owner(() -> IN_ITS_OWN_CODE, () -> IN_ITS_OWN_CODE);
        acquire(owner);
        OpenGuards.setCount(CPU, 0);
        assertThat(Ownership.compareAndSetWord(CPU, owner.threadId(), owner.threadId() | GuardWords.SUSPECTED))
                .isTrue();
        assertThat(Recovery.freeUnlessInside(CPU, owner, owner.threadId())).isTrue();
        assertThat(Ownership.word(CPU)).isEqualTo(Recovery.FREE);
    }

    /** Only one thread at a time relies on a mark. If two did, the first would take the second one's for its own. */
    @Test
    void theMarkOfAnotherThreadFreesNothing() {
        Thread owner = new Thread();
        CountDownLatch isOver = new CountDownLatch(1);
        AtomicBoolean isMarked = new AtomicBoolean();
        Owner seenBySecond = new Owner(
                () -> {
                    isMarked.set(true);
                    Workers.await(isOver);
                    return IN_ITS_OWN_CODE;
                },
                () -> IN_ITS_OWN_CODE);
        Thread second = Thread.ofPlatform()
                .daemon()
                .unstarted(() -> Recovery.freeUnlessInside(CPU, seenBySecond, owner.threadId()));
        Owner seenByFirst = new Owner(() -> IN_ITS_OWN_CODE, () -> {
            // It closes its guard and acquires another one, and a second thread comes to suspect it.
            Ownership.release(CPU);
            acquire(owner);
            second.start();
            while (second.getState() != Thread.State.BLOCKED && !isMarked.get()) {
                Thread.onSpinWait();
            }
            return IN_ITS_OWN_CODE;
        });
        acquire(owner);
        OpenGuards.setCount(CPU, 0);
        assertThat(Recovery.freeUnlessInside(CPU, seenByFirst, owner.threadId()))
                .isFalse();
        isOver.countDown();
        Workers.join(second);
        assertThat(Ownership.word(CPU)).isEqualTo(owner.threadId());
        assertThat(OpenGuards.count(CPU)).isEqualTo(1);
    }

    /** The old owner's guards end before the word is free, and nobody else ends them once more afterwards. */
    @Test
    void whoeverAcquiresACpuThatWasFreedKeepsItsGuard() throws InterruptedException {
        int rounds = Effort.scaled(5_000);
        Phaser both = new Phaser(2);
        AtomicInteger looking = new AtomicInteger();
        AtomicInteger heirs = new AtomicInteger();
        AtomicInteger kept = new AtomicInteger();
        Workers.run("heir-", 2, number -> {
            Thread me = Thread.currentThread();
            Owners.register(me);
            for (int round = 0; round < rounds; round++) {
                if (number == 0) {
                    while (looking.get() <= round) {
                        Thread.onSpinWait();
                    }
                    // The more guards there are to end, the longer that takes.
                    OpenGuards.setCount(CPU, OpenGuards.MOST);
                    boolean _ = Ownership.compareAndSetWord(CPU, Recovery.FREE, GuardWords.SUSPECTED);
                } else {
                    looking.incrementAndGet();
                    while (Ownership.word(CPU) == Recovery.FREE) {
                        Thread.onSpinWait();
                    }
                }
                boolean isHeir = false;
                while (heirs.get() == round) {
                    boolean _ = Recovery.freeIfAbandoned(me, CPU);
                    if (Ownership.compareAndSetWord(CPU, Recovery.FREE, me.threadId())) {
                        OpenGuards.setCount(CPU, 1);
                        isHeir = true;
                        heirs.incrementAndGet();
                    }
                }
                both.arriveAndAwaitAdvance();
                if (isHeir) {
                    kept.addAndGet(OpenGuards.count(CPU));
                    OpenGuards.setCount(CPU, 0);
                    Ownership.release(CPU);
                }
                both.arriveAndAwaitAdvance();
            }
        });
        assertThat(kept).hasValue(rounds);
    }
}
