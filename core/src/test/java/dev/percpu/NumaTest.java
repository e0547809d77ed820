package dev.percpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.internal.linux.CpuLists;
import dev.percpu.testing.CLibrary;
import dev.percpu.testing.Machine;
import dev.percpu.testing.VmTest;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * On which NUMA node the pages of each CPU's place lie. A machine with one node can only show that the pages are asked
 * for rightly; the virtual machine of the scenario {@code numa} has two.
 */
@Tag("native")
@VmTest("numa")
class NumaTest {
    private static final Path NODES = Path.of("/sys/devices/system/node");
    private static final int PAGE = 4096;
    private static final int PAGES = 4;
    private static final int MPOL_F_NODE = 1;
    private static final int MPOL_F_ADDR = 2;

    private static final MethodHandle SYSCALL = CLibrary.function(
            "syscall",
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG),
            Linker.Option.firstVariadicArg(1));

    @Test
    void eachCpusPagesLieOnItsNode() throws IOException {
        Map<Integer, Integer> nodes = nodesOfCpus();
        Set<Integer> seen = new HashSet<>();
        // One page more than are looked at, since a piece need not begin with a page.
        MemoryLayout layout = MemoryLayout.sequenceLayout((PAGES + 1L) * PAGE, ValueLayout.JAVA_BYTE);
        try (DynamicPerCpu<MemorySegment> variable = DynamicPerCpu.createZero(layout)) {
            CpuId.onEachCpu(cpu -> {
                try (CpuGuard guard = CpuGuard.acquire()) {
                    assertThat(guard.cpu()).isEqualTo(cpu);
                    variable.getMut(guard).run(memory -> memory.fill((byte) 1));
                }
            });
            CpuMask usable = CpuMask.usable();
            variable.forEachCpu((cpu, memory) -> {
                if (usable.test(cpu)) {
                    for (int page = 1; page <= PAGES; page++) {
                        long address = (memory.address() + (long) page * PAGE) & -PAGE;
                        assertThat(nodeOf(address))
                                .as("page %d of %s", page, cpu)
                                .isEqualTo(nodes.get(cpu.id()));
                    }
                    seen.add(nodes.get(cpu.id()));
                }
            });
        }
        assertThat(seen).hasSize((int) usableNodes(nodes));
    }

    private static long usableNodes(Map<Integer, Integer> nodes) {
        return CpuMask.usable().ids().mapToObj(nodes::get).distinct().count();
    }

    private static Map<Integer, Integer> nodesOfCpus() throws IOException {
        Map<Integer, Integer> nodes = new HashMap<>();
        try (DirectoryStream<Path> directories = Files.newDirectoryStream(NODES, "node[0-9]*")) {
            for (Path directory : directories) {
                int node = Integer.parseInt(directory.getFileName().toString().substring("node".length()));
                CpuLists.parse(Files.readString(directory.resolve("cpulist")).strip()).stream()
                        .forEach(cpu -> nodes.put(cpu, node));
            }
        }
        return nodes;
    }

    /** The node of the page at an address, by {@code get_mempolicy}, which no C library wraps. */
    private static int nodeOf(long address) {
        long number = Machine.current().number(Machine.Call.GET_MEMPOLICY);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment node = arena.allocate(JAVA_INT);
            long result = (long) SYSCALL.invokeExact(
                    number, node, MemorySegment.NULL, 0L, address, (long) (MPOL_F_NODE | MPOL_F_ADDR));
            assertThat(result).as("get_mempolicy").isZero();
            return node.get(JAVA_INT, 0);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }
}
