package dev.percpu.internal.code;

/**
 * Code that is called as one function. All code is emitted from objects of this class. Only two classes create them, so
 * that checks of the code can find all of it: the {@link Catalogue}, which lists its sequences, and {@link EventShape}.
 *
 * @param name for messages, profilers and tests
 * @param arguments how many 64-bit arguments a caller passes: from 0 to 4, and 4 or 6 to a sequence of an event
 * @param sections how many restartable sections it has. One without only reads a register, or a word of the thread's
 * @param stores how many stores each of its sections has. The last one is the commit. A section that only reads has
 *     none. A section may have a second store only if no other thread reads what that writes before the commit
 * @param emitter emits the sequence
 */
public record Sequence(String name, int arguments, int sections, int stores, Emitter emitter) {
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
