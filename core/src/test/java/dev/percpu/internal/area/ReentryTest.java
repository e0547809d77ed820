package dev.percpu.internal.area;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.DynamicPerCpu;
import dev.percpu.memory.AreaFullException;
import dev.percpu.testing.Jvm;
import dev.percpu.testing.MemoryLimit;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.ProtectionDomain;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A variable that is made while the same thread takes memory for another one. In a JVM of its own, with an agent. The
 * agent also looks whether it is called while the thread holds the allocator's lock.
 */
@Tag("native")
class ReentryTest {
    private static final long MIB = 1 << 20;

    /**
     * When the kernel refuses memory, the JVM loads classes to tell why. The agent is called for each, and makes a
     * variable. It does so at the second one. While the JVM loads the first, it cannot link the same call for the inner
     * variable, and then does not try it again for the outer one.
     */
    static final class Agent implements ClassFileTransformer {
        private static final long OUTER = 16 * MIB;

        /** Enough for what the library leaves to the JVM and for all places of CPUs, but not for that of the gates. */
        private static final long NO_GATES = 8 * MIB + Area.places() * OUTER + OUTER / 2;

        /** Less than the library leaves to the JVM, so that the kernel refuses again. */
        private static final long TOO_LITTLE = 4 * MIB;

        private static final List<DynamicPerCpu<MemorySegment>> MADE = new ArrayList<>();

        /** The next calls, of which the last makes the variable. */
        private static final Deque<Runnable> INSIDE = new ArrayDeque<>();

        /** Null until the library is there. */
        private static volatile Object allocator;

        private Agent() {}

        public static void premain(String arguments, Instrumentation instrumentation) {
            instrumentation.addTransformer(new Agent());
        }

        private static DynamicPerCpu<MemorySegment> variable(long bytes) {
            return DynamicPerCpu.createZero(MemoryLayout.sequenceLayout(bytes, ValueLayout.JAVA_BYTE));
        }

        private static void make(long bytes, String which) {
            try {
                MADE.add(variable(bytes));
                System.out.println(which + " made");
            } catch (AreaFullException | LinkageError | NullPointerException refused) {
                // What the JVM throws if it is linking the same call already is its own affair.
                System.out.println(which + " refused");
            }
        }

        /** The kernel has memory for the inner variable, and none after that. */
        private static void makeInside(long bytes) {
            MemoryLimit.DATA.unlimit();
            make(bytes, "inner");
            MemoryLimit.DATA.leave(TOO_LITTLE);
        }

        /** What is no longer reachable is being given back while the kernel refuses the inner variable, too. */
        private static void makeWhileOthersAreGivenBack() {
            long used = Area.usedBytesPerCpu();
            MADE.clear();
            while (Area.usedBytesPerCpu() == used && !isGivingBackBlocked()) {
                System.gc();
                Thread.onSpinWait();
            }
            make(OUTER, "inner");
        }

        private static boolean isGivingBackBlocked() {
            return Thread.getAllStackTraces().keySet().stream()
                    .anyMatch(thread ->
                            thread.getName().equals("percpu-area") && thread.getState() == Thread.State.BLOCKED);
        }

        @Override
        public byte[] transform(
                ClassLoader loader, String name, Class<?> redefined, ProtectionDomain domain, byte[] bytes) {
            if (allocator != null && Thread.holdsLock(allocator)) {
                System.out.println("under the lock: " + name);
            }
            if (!INSIDE.isEmpty() && isAskingForReasons()) {
                INSIDE.remove().run();
            }
            return null;
        }

        private static boolean isAskingForReasons() {
            return Arrays.stream(Thread.currentThread().getStackTrace())
                    .anyMatch(frame -> frame.getMethodName().equals("prepareReasons"));
        }

        public static void main(String[] arguments) throws ReflectiveOperationException {
            make(8, "first");
            Field lock = Area.class.getDeclaredField("POSITIONS");
            lock.setAccessible(true);
            allocator = lock.get(null);
            INSIDE.add(() -> {});
            INSIDE.add(
                    switch (arguments[0]) {
                        case "smaller" -> () -> makeInside(MIB);
                        case "larger" -> () -> makeInside(2 * OUTER);
                        case "refused" -> () -> make(OUTER, "inner");
                        default -> Agent::makeWhileOthersAreGivenBack;
                    });
            MemoryLimit.DATA.leave(NO_GATES);
            make(OUTER, "outer");
            boolean _ = Area.openOwnPlace();
            MemoryLimit.DATA.unlimit();
            make(OUTER, "next");
            MADE.forEach(each -> each.forEachCpu((_, memory) -> memory.fill((byte) 1)));
            MADE.forEach(DynamicPerCpu::close);
            make(1 << 30, "last");
        }
    }

    @ParameterizedTest
    @CsvSource({"smaller, made", "larger, made", "refused, refused", "while others are given back, refused"})
    void whatIsMadeWhileTheKernelRefusesMemoryChangesNothing(String inner, String outcome, @TempDir Path directory)
            throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().putValue("Premain-Class", Agent.class.getName());
        Path jar = directory.resolve("agent.jar");
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream _ = new JarOutputStream(file, manifest)) {
            // It only names the class, which is on the class path.
        }
        // How much memory the compilers need is not known.
        assertThat(Jvm.asHere().option("-Xint").option("-javaagent:" + jar).outputOf(Agent.class, inner))
                .contains("first made\ninner " + outcome + "\nouter refused\nnext made\nlast refused\n");
    }
}
