package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.OnCpu;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.backend.Interposed;
import dev.percpu.internal.protocol.Credits;
import dev.percpu.testing.Jvm;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What others can see between two steps of an addition that hands out credit. A JVM of its own puts a look there, as if
 * the thread had been preempted.
 */
@Tag("native")
class BoundedCounterStepsTest {
    @Test
    void nobodyGetsCreditThatIsNotReservedYet() {
        assertThat(probe("credit")).isEqualTo("taken from the new credit: false, of 1");
    }

    @Test
    void anEstimateHasRoomForABatchThatIsInNoCredit() {
        assertThat(probe("estimate")).isEqualTo("within the bound: true, of 1");
    }

    /**
     * The credits are taken and the value is not settled yet. What says how much was handed out is larger than any
     * number then, and whoever has seen the counter open waits for the lock, and has to look again.
     */
    @ParameterizedTest
    @CsvSource({"SUM, 100, 100", "ADD, 1, 101", "TRY_ADD, 1, 101", "TRY_SUB, 1, 99"})
    void whoComesWhileCreditsAreTakenWaitsForTheValue(Late.Operation operation, long outcome, long sum) {
        assertThat(probe(Late.class, operation.name())).isEqualTo(outcome + ", and the sum is " + sum);
    }

    private static String probe(String look) {
        return probe(Probe.class, look);
    }

    private static String probe(Class<?> program, String argument) {
        return Jvm.asHere().outputOf(program, argument).strip();
    }

    /** Runs in a JVM of its own. */
    static final class Probe {
        private static final int BATCH = 32;

        private Probe() {}

        /** What is done before and after a credit grows, each at most once. */
        private interface Look {
            void before();

            void after(Credits credits, long position);
        }

        private static Look look = new Look() {
            @Override
            public void before() {}

            @Override
            public void after(Credits credits, long position) {}
        };

        public static void main(String[] arguments) {
            Interposed.replace(Credits.class, Looking::new);
            OnCpu.run(
                    CpuMask.usable().iterator().next(),
                    arguments[0].equals("credit") ? Probe::credit : Probe::estimate);
        }

        /** G is 0 and so is the limit; the first addition makes G larger and then puts a batch in this CPU's credit. */
        private static void credit() {
            PerCpuBoundedCounter counter = new PerCpuBoundedCounter(BATCH);
            boolean[] taken = new boolean[1];
            int[] looks = new int[1];
            look = new Look() {
                @Override
                public void before() {}

                @Override
                public void after(Credits credits, long position) {
                    looks[0]++;
                    // What tryAdd(1, 0) does first.
                    taken[0] |= credits.add(position, -1, 2 * BATCH, 0);
                }
            };
            counter.add(1);
            System.out.println("taken from the new credit: " + taken[0] + ", of " + looks[0]);
        }

        /** All credits are full, so the value is as far below G as it can be; then a batch is in G and in no credit. */
        private static void estimate() {
            PerCpuBoundedCounter counter = new PerCpuBoundedCounter(BATCH);
            CpuId.onEachCpu(_ -> {
                for (int i = 0; i < 2 * BATCH; i++) {
                    counter.sub(1);
                }
            });
            int amount = 1000;
            long after = counter.sum() + amount;
            boolean[] within = {true};
            int[] looks = new int[1];
            look = new Look() {
                @Override
                public void before() {
                    looks[0]++;
                    within[0] &= Math.abs(counter.estimate() - after) <= counter.errorBound();
                }

                @Override
                public void after(Credits credits, long position) {}
            };
            counter.add(amount);
            System.out.println("within the bound: " + within[0] + ", of " + looks[0]);
        }

        /** Has the look done around each growth of a credit by a batch. */
        private record Looking(Credits credits) implements Credits {
            @Override
            public boolean add(long position, long delta, long bound, long most) {
                if (delta != BATCH) {
                    return credits.add(position, delta, bound, most);
                }
                look.before();
                boolean added = credits.add(position, delta, bound, most);
                look.after(credits, position);
                return added;
            }

            @Override
            public long sum(long position) {
                return credits.sum(position);
            }

            @Override
            public long take(long position) {
                return credits.take(position);
            }
        }
    }

    /** Runs in a JVM of its own: a second thread comes while the first one takes the credits. */
    static final class Late {
        private static final int LIMIT = 100;

        private Late() {}

        /** What the second thread does. It returns 1 if that was done. */
        enum Operation {
            SUM,
            ADD,
            TRY_ADD,
            TRY_SUB;

            private long apply(PerCpuBoundedCounter counter) {
                return switch (this) {
                    case SUM -> counter.sum();
                    case ADD -> {
                        counter.add(1);
                        yield 1;
                    }
                    case TRY_ADD -> counter.tryAdd(1, 2 * LIMIT) ? 1 : 0;
                    case TRY_SUB -> counter.trySub(1, 0) ? 1 : 0;
                };
            }
        }

        public static void main(String[] arguments) throws InterruptedException {
            Operation operation = Operation.valueOf(arguments[0]);
            Runnable[] afterTaking = new Runnable[1];
            Interposed.replace(Credits.class, credits -> new Credits() {
                @Override
                public boolean add(long position, long delta, long bound, long most) {
                    return credits.add(position, delta, bound, most);
                }

                @Override
                public long sum(long position) {
                    return credits.sum(position);
                }

                @Override
                public long take(long position) {
                    long taken = credits.take(position);
                    afterTaking[0].run();
                    return taken;
                }
            });
            PerCpuBoundedCounter counter = new PerCpuBoundedCounter();
            counter.add(LIMIT);
            long[] outcome = new long[1];
            Thread late = Thread.ofPlatform().unstarted(() -> outcome[0] = operation.apply(counter));
            afterTaking[0] = () -> {
                late.start();
                while (late.getState() != Thread.State.BLOCKED && late.isAlive()) {
                    Thread.onSpinWait();
                }
            };
            // Also above the limit if the second thread has subtracted by then.
            if (counter.tryAdd(1, LIMIT - 2)) {
                throw new AssertionError("above the limit");
            }
            late.join();
            System.out.println(outcome[0] + ", and the sum is " + counter.sum());
        }
    }
}
