package dev.percpu.cli.demo;

/**
 * What one CPU counted.
 *
 * @param cpu the CPU's id
 * @param files how many files came to their end on it
 * @param bytes how many bytes were counted there
 * @param lines how many line feeds
 * @param buffers how many buffers full
 * @param guarded how many updates were made under its guard
 */
public record CpuShare(int cpu, long files, long bytes, long lines, long buffers, long guarded) {
    boolean isEmpty() {
        return files == 0 && bytes == 0 && lines == 0 && buffers == 0 && guarded == 0;
    }
}
