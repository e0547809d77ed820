package dev.percpu.internal.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.HotThread;
import dev.percpu.internal.area.OwnPlaces;
import dev.percpu.internal.backend.Interposed;
import dev.percpu.internal.linux.LinuxException;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.Machine.Call;
import dev.percpu.testing.Seccomp;
import dev.percpu.testing.Workers;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What happens in the middle of a closing. A JVM of its own puts it there, as if the closing thread lost its CPU. */
@Tag("rseq")
class TallyStepsTest {
    private static final int EPERM = 1;

    /** The thread has seen the tally open, twice: there was no heavy fence yet. */
    @Test
    void aThreadThatGetsItsFirstPlaceDuringAClosingIsInItsSum() {
        assertThat(output(FirstPlace.class)).isEqualTo("places 1, sum 1");
    }

    @Test
    void aClosingThatTheKernelRefusesLeavesTheTallyOpen() {
        assertThat(output(Refused.class)).isEqualTo("refused true, added true, sum 3, added false");
    }

    /** Otherwise an addition that saw the tally open could come after the sum. The kernel's refusal shows the call. */
    @Test
    void aClosingRestartsTheSequencesOfAllCpus() throws InterruptedException {
        Tally tally = Tally.opened("TallyStepsTest");
        Workers.run("refused-", 1, _ -> {
            Seccomp.refuse(Call.MEMBARRIER, EPERM);
            assertThatThrownBy(tally::close).isInstanceOf(LinuxException.class);
        });
        assertThat(tally.add(2)).isTrue();
        assertThat(tally.close()).isEqualTo(2);
    }

    private static String output(Class<?> main) {
        return new Jvm().option("-Dpercpu.backend=rseq").run(main).output().strip();
    }

    /** Runs in a JVM of its own, in which no thread has had a place yet. */
    static final class FirstPlace {
        private FirstPlace() {}

        public static void main(String[] arguments) throws InterruptedException {
            Tally[] tally = new Tally[1];
            BeforeTheFence.install(() -> HotThread.run(own -> add(own + tally[0].position)));
            tally[0] = Tally.opened("TallyStepsTest");
            long sum = tally[0].close();
            System.out.println("places " + OwnPlaces.count() + ", sum " + sum);
        }

        private static void add(long number) {
            Area.LONG.setVolatile(Area.MEMORY, number, (long) Area.LONG.getVolatile(Area.MEMORY, number) + 1);
        }
    }

    /** The heavy fence of the first closing is refused. */
    static final class Refused {
        private Refused() {}

        public static void main(String[] arguments) throws InterruptedException {
            boolean[] refuses = {true};
            BeforeTheFence.install(() -> {
                if (refuses[0]) {
                    throw new IllegalStateException("refused");
                }
            });
            Tally tally = Tally.opened("TallyStepsTest");
            HotThread.run(_ -> {
                boolean added = tally.addInOwnPlace(1);
                boolean refused = false;
                try {
                    tally.close();
                } catch (IllegalStateException expected) {
                    refused = true;
                }
                added &= tally.addInOwnPlace(2);
                refuses[0] = false;
                System.out.println("refused " + refused + ", added " + added + ", sum " + tally.close() + ", added "
                        + tally.addInOwnPlace(1));
            });
        }
    }

    private interface Step {
        void run() throws InterruptedException;
    }

    /** Does a step just before the gate is shut. */
    private record BeforeTheFence(CpuTallies tallies, Step step) implements CpuTallies {
        private static void install(Step step) {
            Interposed.replace(CpuTallies.class, tallies -> new BeforeTheFence(tallies, step));
        }

        @Override
        public boolean add(long position, long delta) {
            return tallies.add(position, delta);
        }

        @Override
        public void shut(long position) {
            try {
                step.run();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            tallies.shut(position);
        }

        @Override
        public long take(long position) {
            return tallies.take(position);
        }

        @Override
        public void open(long position) {
            tallies.open(position);
        }
    }
}
