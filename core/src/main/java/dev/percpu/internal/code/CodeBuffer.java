package dev.percpu.internal.code;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** Bytes of machine code that will run at a known address, with labels that can be used before they are placed. */
public final class CodeBuffer {
    /** A place in the code. */
    public static final class Label {
        private static final int UNPLACED = -1;

        private int position = UNPLACED;
        private final List<Use> uses = new ArrayList<>();
    }

    /** Writes a use of a label, given where its bytes are and the label's position. */
    @FunctionalInterface
    public interface Patch {
        void write(ByteBuffer code, int at, int labelPosition);
    }

    /** Bytes that wait for a label's position. */
    private record Use(Patch patch, int at) {}

    /** Writes a label's absolute address. */
    private final class Address implements Patch {
        @Override
        public void write(ByteBuffer code, int at, int labelPosition) {
            code.putLong(at, origin + labelPosition);
        }
    }

    /** Writes the distance from a label that has been placed. */
    private record Distance(Label from) implements Patch {
        @Override
        public void write(ByteBuffer code, int at, int labelPosition) {
            code.putLong(at, labelPosition - from.position);
        }
    }

    /** Writes the distance from the end of these four bytes to a label. */
    private record Relative() implements Patch {
        @Override
        public void write(ByteBuffer code, int at, int labelPosition) {
            code.putInt(at, labelPosition - (at + Integer.BYTES));
        }
    }

    private final long origin;
    private final ByteBuffer bytes;

    /**
     * @param origin the address at which the first byte will run
     * @param capacity the maximum number of bytes
     */
    public CodeBuffer(long origin, int capacity) {
        this.origin = origin;
        this.bytes = ByteBuffer.allocate(capacity).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Puts the label here. */
    public void place(Label label) {
        if (label.position != Label.UNPLACED) {
            throw new IllegalStateException("a label is placed once");
        }
        label.position = bytes.position();
        for (Use use : label.uses) {
            use.patch.write(bytes, use.at, label.position);
        }
    }

    /** Appends {@code size} bytes. {@code patch} writes them as soon as the label's position is known. */
    public void use(Label label, int size, Patch patch) {
        int at = bytes.position();
        bytes.position(at + size);
        if (label.position == Label.UNPLACED) {
            label.uses.add(new Use(patch, at));
        } else {
            patch.write(bytes, at, label.position);
        }
    }

    /** Appends the label's absolute address. */
    void address(Label label) {
        use(label, Long.BYTES, new Address());
    }

    /** Appends the distance between two labels. */
    void distance(Label from, Label to) {
        use(to, Long.BYTES, new Distance(from));
    }

    /** Appends the distance to the label, in 32 bits, from where they end. */
    void relative(Label label) {
        use(label, Integer.BYTES, new Relative());
    }

    /** Appends bytes, given as ints for readability. */
    public void bytes(int... values) {
        for (int value : values) {
            bytes.put((byte) value);
        }
    }

    public void int32(int value) {
        bytes.putInt(value);
    }

    public void int64(long value) {
        bytes.putLong(value);
    }

    /** Appends zeros up to a multiple of {@code alignment}. */
    void align(int alignment) {
        while ((origin + bytes.position()) % alignment != 0) {
            bytes.put((byte) 0);
        }
    }

    /** The address of a label that has been placed. */
    long addressOf(Label label) {
        if (label.position == Label.UNPLACED) {
            throw new IllegalStateException("the label was never placed");
        }
        return origin + label.position;
    }

    /** How many bytes were appended. */
    int size() {
        return bytes.position();
    }

    /** What was appended. */
    byte[] toByteArray() {
        byte[] copy = new byte[size()];
        bytes.get(0, copy);
        return copy;
    }
}
