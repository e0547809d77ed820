package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.testing.Effort;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.Machine;
import dev.percpu.testing.TestInOwnJvm;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Two CPUs that update their own objects must not write the same cache line, whatever the collector does to them. */
@Tag("once")
class HeapInstancesTest {
    /** Two cache lines: processors fetch the neighbour of a line along with it. */
    private static final long APART = 128;

    @ParameterizedTest
    @Execution(ExecutionMode.CONCURRENT)
    @CsvSource({"Serial,-", "Parallel,-", "G1,-", "Z,-", "Serial,+", "G1,+"})
    void theInstancesOfDifferentCpusLieFarApartBeforeAndAfterCollections(String collector, char compressed) {
        assertFarApart(
                new Jvm()
                        .collector(collector)
                        .option(collector.equals("Z") ? "-XX:+UseZGC" : "-XX:" + compressed + "UseCompressedOops"),
                collector);
    }

    private static void assertFarApart(Jvm jvm, String collector) {
        String output = jvm.option("--sun-misc-unsafe-memory-access=allow").outputOf(Probe.class, collector);

        assertThat(output.lines().map(Long::parseLong))
                .as("the least distances, in bytes, at first, after young collections and after full ones")
                .hasSize(3)
                .allMatch(distance -> distance >= APART);
    }

    /** What does not fit into the rest of the buffer that a thread allocates in may be put elsewhere. */
    @ParameterizedTest
    @Execution(ExecutionMode.CONCURRENT)
    @ValueSource(ints = {2432, 2720, 2912, 3104, 3968})
    void theyLieFarApartWhereverAThreadsBufferEnds(int bytes) {
        assertFarApart(
                new Jvm()
                        .option("-XX:+UseCompressedOops")
                        .option("-XX:MinTLABSize=2k")
                        .option("-XX:TLABSize=" + bytes)
                        .option("-XX:-ResizeTLAB"),
                "Serial");
    }

    /** The collector puts what does not fit there elsewhere. */
    @ParameterizedTest
    @Execution(ExecutionMode.CONCURRENT)
    @ValueSource(ints = {8448, 9600, 10752, 11136})
    void theyLieFarApartWhereverTheSpaceOfTheSurvivorsEnds(int kibibytes) {
        assertFarApart(new Jvm().option("-XX:+UseCompressedOops").option("-Xmn" + kibibytes + "k"), "Serial");
    }

    /** A thread that reads an object moves it itself, if ZGC has not come to it yet. */
    @TestInOwnJvm
    void theyStayApartIfAThreadVisitsAllWhileTheCollectorMovesThem() {
        String output = new Jvm()
                .collector("Z")
                .option("-Xmx64m")
                .option("--sun-misc-unsafe-memory-access=allow")
                .outputOf(Visits.class);

        assertThat(Long.parseLong(output.strip())).isGreaterThanOrEqualTo(APART);
    }

    private static final class Counter {
        private long value;

        @Override
        public String toString() {
            return Long.toString(value);
        }
    }

    /** Prints how far apart the two nearest instances lie. */
    static final class Probe {
        private static final List<DynamicPerCpu<Counter>> VARIABLES = new ArrayList<>();

        /** An empty array's bytes. */
        private static final long SMALLEST_OBJECT = 16;

        private static Object garbage = new Object();

        private Probe() {}

        /** Whether references are those of ZGC. */
        private static boolean marked;

        public static void main(String[] arguments) throws Exception {
            marked = arguments[0].equals("Z");
            makeVariables();
            System.out.println(leastDistance());
            makeGarbage();
            System.out.println(leastDistance());
            System.gc();
            System.gc();
            System.out.println(leastDistance());
            if (garbage == null) {
                throw new AssertionError("the compiler must not remove the garbage");
            }
        }

        private static void makeVariables() {
            VARIABLES.clear();
            for (int i = 0; i < 200; i++) {
                // So that the thread's buffer ends at each step of the creation, now and then.
                garbage = new byte[i % 64 * 16];
                VARIABLES.add(DynamicPerCpu.createWith(Counter::new));
            }
        }

        /** Enough for several young collections. */
        private static void makeGarbage() {
            for (int i = 0; i < 3_000_000; i++) {
                garbage = new byte[100];
            }
        }

        private static long address(long reference) {
            return marked ? Machine.current().addressInZReference(reference) : reference;
        }

        /**
         * Keeps none of the instances meanwhile: a collector would put those that an array or a list holds side by
         * side. If one ran meanwhile, the addresses belong to different times, and count for nothing.
         */
        private static long leastDistance() throws Exception {
            Field field = Class.forName("sun.misc.Unsafe").getDeclaredField("theUnsafe");
            field.setAccessible(true);
            Object unsafe = field.get(null);
            Method getLong = unsafe.getClass().getMethod("getLong", Object.class, long.class);
            Method getInt = unsafe.getClass().getMethod("getInt", Object.class, long.class);
            int scale = (int)
                    unsafe.getClass().getMethod("arrayIndexScale", Class.class).invoke(unsafe, Object[].class);
            long base = (int)
                    unsafe.getClass().getMethod("arrayBaseOffset", Class.class).invoke(unsafe, Object[].class);
            Object[] one = new Object[1];
            long unit = scale == Integer.BYTES ? bytesOfUnit(unsafe, getInt, base) : 1;
            List<Long> addresses = new ArrayList<>();
            long before;
            do {
                addresses.clear();
                before = collections();
                for (DynamicPerCpu<Counter> variable : VARIABLES) {
                    variable.forEachCpu((_, instance) -> {
                        one[0] = instance;
                        try {
                            addresses.add(
                                    scale == Integer.BYTES
                                            ? Integer.toUnsignedLong((int) getInt.invoke(unsafe, one, base))
                                            : address((long) getLong.invoke(unsafe, one, base)));
                        } catch (ReflectiveOperationException e) {
                            throw new LinkageError(e.getMessage(), e);
                        }
                        one[0] = null;
                    });
                }
            } while (collections() != before);
            Collections.sort(addresses);
            long least = Long.MAX_VALUE;
            for (int i = 1; i < addresses.size(); i++) {
                least = Math.min(least, (addresses.get(i) - addresses.get(i - 1)) * unit);
            }
            return least;
        }

        /**
         * How many bytes two compressed references are apart whose numbers differ by one. They are addresses if the
         * heap lies below 4 GiB, and where it lies is chance. Objects as small as possible lie side by side.
         */
        private static long bytesOfUnit(Object unsafe, Method getInt, long base) throws ReflectiveOperationException {
            Object[] objects = new Object[64];
            for (int i = 0; i < objects.length; i++) {
                objects[i] = new byte[0];
            }
            long least = Long.MAX_VALUE;
            for (int i = 1; i < objects.length; i++) {
                long before =
                        Integer.toUnsignedLong((int) getInt.invoke(unsafe, objects, base + (i - 1L) * Integer.BYTES));
                long behind =
                        Integer.toUnsignedLong((int) getInt.invoke(unsafe, objects, base + (long) i * Integer.BYTES));
                least = Math.min(least, Math.abs(behind - before));
            }
            return SMALLEST_OBJECT / least;
        }

        private static long collections() {
            return ManagementFactory.getGarbageCollectorMXBeans().stream()
                    .mapToLong(GarbageCollectorMXBean::getCollectionCount)
                    .sum();
        }
    }

    /** Prints how far apart the two nearest instances came to lie in any of several rounds. */
    static final class Visits {
        private static final int ROUNDS = 5;
        private static final int COLLECTED_BYTES = 200_000_000;
        private static final int PIECE_BYTES = 600;
        private static final int PIECES_FOR_EACH_VISIT = 64;

        private static Object garbage = new Object();

        private Visits() {}

        public static void main(String[] arguments) throws Exception {
            Probe.marked = true;
            long least = Long.MAX_VALUE;
            int rounds = Effort.scaled(ROUNDS);
            for (int round = 0; round < rounds; round++) {
                Probe.makeVariables();
                for (int i = 0; i < COLLECTED_BYTES / PIECE_BYTES; i++) {
                    garbage = new byte[PIECE_BYTES];
                    if (i % PIECES_FOR_EACH_VISIT == 0) {
                        Probe.VARIABLES.forEach(variable -> variable.forEachCpu((_, instance) -> instance.value++));
                    }
                }
                System.gc();
                System.gc();
                least = Math.min(least, Probe.leastDistance());
            }
            System.out.println(least);
            if (garbage == null) {
                throw new AssertionError("the compiler must not remove the garbage");
            }
        }
    }
}
