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
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.ProtectionDomain;
import java.util.Arrays;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A variable that is made while the same thread takes memory for another one. In a JVM of its own, with an agent. */
@Tag("native")
class ReentryTest {
    private static final long MIB = 1 << 20;

    /**
     * When the kernel refuses memory, the JVM loads classes to tell why. The agent is called for each, and makes a
     * variable.
     */
    static final class Agent implements ClassFileTransformer {
        private static final long OUTER = 16 * MIB;

        /** Enough for what the library leaves to the JVM and for one place. The others are refused. */
        private static final long ONE_PLACE = OUTER + OUTER;

        /** Less than the library leaves to the JVM, so that the kernel refuses again. */
        private static final long TOO_LITTLE = 4 * MIB;

        private static volatile long inner;
        private static DynamicPerCpu<MemorySegment> made = variable(MIB);

        private Agent() {}

        public static void premain(String arguments, Instrumentation instrumentation) {
            instrumentation.addTransformer(new Agent());
        }

        private static DynamicPerCpu<MemorySegment> variable(long bytes) {
            return DynamicPerCpu.createZero(MemoryLayout.sequenceLayout(bytes, ValueLayout.JAVA_BYTE));
        }

        @Override
        public byte[] transform(
                ClassLoader loader, String name, Class<?> redefined, ProtectionDomain domain, byte[] bytes) {
            long size = inner;
            if (size > 0 && isAskingForReasons()) {
                inner = 0;
                MemoryLimit.DATA.unlimit();
                made = variable(size);
                MemoryLimit.DATA.leave(TOO_LITTLE);
                System.out.println("made inside");
            }
            return null;
        }

        private static boolean isAskingForReasons() {
            return Arrays.stream(Thread.currentThread().getStackTrace())
                    .anyMatch(frame -> frame.getMethodName().equals("prepareReasons"));
        }

        public static void main(String[] arguments) {
            MemoryLimit.DATA.leave(ONE_PLACE);
            inner = Long.parseLong(arguments[0]);
            try {
                variable(OUTER);
            } catch (AreaFullException full) {
                System.out.println("full");
            } finally {
                MemoryLimit.DATA.unlimit();
            }
            made.forEachCpu((_, memory) -> memory.fill((byte) 1));
            System.out.println("filled");
        }
    }

    /** One that is smaller than the other variable, whose memory is closed again, and one that is larger. */
    @ParameterizedTest
    @ValueSource(longs = {MIB, 32 * MIB})
    void whatIsMadeWhileTheKernelRefusesMemoryStaysOpen(long inner, @TempDir Path directory) throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().putValue("Premain-Class", Agent.class.getName());
        Path jar = directory.resolve("agent.jar");
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream _ = new JarOutputStream(file, manifest)) {
            // It only names the class, which is on the class path.
        }
        // How much memory the compilers need is not known.
        assertThat(Jvm.asHere().option("-Xint").option("-javaagent:" + jar).outputOf(Agent.class, Long.toString(inner)))
                .contains("made inside\nfull\nfilled\n");
    }
}
