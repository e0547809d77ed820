package dev.percpu.internal.code;

/**
 * One restartable sequence, or a series of them in one call, as the {@link Catalogue} lists it. Whatever emits code
 * emits one of these, so whatever checks the code can find all of them.
 *
 * @param name for messages, profilers and tests
 * @param arguments how many 64-bit arguments a caller passes, from 0 to 4
 * @param stores how many stores each of its sections has. The last one is the commit. A section that only reads has
 *     none. A section may have a second store only if nobody looks at what that writes before the commit
 * @param emitter what emits it
 */
public record Sequence(String name, int arguments, int stores, Emitter emitter) {
    /** Emits a sequence, and returns the address to call. */
    @FunctionalInterface
    public interface Emitter {
        long emit(Section section);
    }

    @Override
    public String toString() {
        return name;
    }
}
