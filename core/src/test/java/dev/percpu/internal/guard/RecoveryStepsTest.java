package dev.percpu.internal.guard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.CpuGuard;
import dev.percpu.internal.protocol.GuardWords;
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
}
