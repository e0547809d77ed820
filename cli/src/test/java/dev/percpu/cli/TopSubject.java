package dev.percpu.cli;

import dev.percpu.CpuGuard;
import dev.percpu.concurrent.PerCpuAccumulator;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuDoubleCounter;
import dev.percpu.cpu.CpuId;
import java.io.IOException;
import java.lang.ref.Reference;
import java.util.List;

/** A program with named variables, for {@link TopCommandTest}. It ends when its standard input does. */
final class TopSubject {
    private static final int EACH = 1000;

    private TopSubject() {}

    public static void main(String[] args) throws IOException {
        PerCpuCounter still = new PerCpuCounter("still");
        PerCpuCounter growing = new PerCpuCounter("growing");
        PerCpuDoubleCounter endless = new PerCpuDoubleCounter("endless");
        PerCpuAccumulator broken = new PerCpuAccumulator(
                "broken",
                (_, _) -> {
                    throw new ArithmeticException();
                },
                0);
        CpuId.onEachCpu(_ -> still.add(EACH));
        endless.add(Double.POSITIVE_INFINITY);
        Thread.ofPlatform().daemon().start(() -> {
            while (true) {
                growing.increment();
            }
        });
        try (CpuGuard guard = CpuGuard.acquire()) {
            System.out.println(guard.cpu().id());
            int _ = System.in.read();
        } finally {
            Reference.reachabilityFence(List.of(still, endless, broken));
        }
    }
}
