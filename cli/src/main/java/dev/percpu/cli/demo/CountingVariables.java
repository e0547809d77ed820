package dev.percpu.cli.demo;

import dev.percpu.DynamicNumeric;
import dev.percpu.DynamicPerCpu;
import dev.percpu.PerCpuNumeric;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.memory.NumericWidth;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The per-CPU variables that files are counted into: numbers, which need no guard, and an object for each CPU,
 * which does.
 */
final class CountingVariables implements AutoCloseable {
    final DynamicNumeric files = number();
    final DynamicNumeric bytes = number();
    final DynamicNumeric lines = number();
    final DynamicNumeric buffers = number();
    final List<DynamicNumeric> byteFrequency =
            Stream.generate(CountingVariables::number).limit(Totals.BYTE_VALUES).toList();
    final DynamicPerCpu<PieceStatistics> pieces = DynamicPerCpu.createWith(PieceStatistics::new);

    private static DynamicNumeric number() {
        return PerCpuNumeric.create(NumericWidth.LONG);
    }

    /** The totals over all CPUs, once no thread counts any more. */
    Totals totals() {
        PieceStatistics all = new PieceStatistics();
        pieces.forEachCpu((_, statistics) -> all.add(statistics));
        return new Totals(
                files.sum(),
                bytes.sum(),
                lines.sum(),
                all.pieces(),
                all.longest(),
                byteFrequency.stream().map(PerCpuNumeric::sum).toList());
    }

    /** What each CPU counted, of those that counted anything, once no thread counts any more. */
    List<CpuShare> shares() {
        long[] piecesByCpu = new long[CpuMask.capacity()];
        pieces.forEachCpu((cpu, statistics) -> piecesByCpu[cpu.id()] = statistics.pieces());
        List<CpuShare> shares = new ArrayList<>();
        for (CpuId cpu : CpuMask.possible()) {
            CpuShare share = new CpuShare(
                    cpu.id(), files.get(cpu), bytes.get(cpu), lines.get(cpu), buffers.get(cpu), piecesByCpu[cpu.id()]);
            if (!share.isEmpty()) {
                shares.add(share);
            }
        }
        return shares;
    }

    @Override
    public void close() {
        Stream.concat(Stream.of(files, bytes, lines, buffers), byteFrequency.stream())
                .forEach(DynamicNumeric::close);
        pieces.close();
    }
}
