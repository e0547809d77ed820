package dev.percpu.testing;

import java.util.Locale;

/**
 * The processor architectures that the tests know, and all that they need to know of each. A new architecture is one
 * more constant: the compiler then asks for the rest.
 */
public enum Machine {
    X86_64 {
        @Override
        public int rseqSignature() {
            return 0x53053053;
        }

        @Override
        public int number(Call call) {
            return switch (call) {
                case RSEQ -> 334;
                case MEMBARRIER -> 324;
                case SCHED_SETAFFINITY -> 203;
                case GET_MEMPOLICY -> 239;
                case CLONE -> 56;
                case CLONE3 -> 435;
                case MADVISE -> 28;
                case MPROTECT -> 10;
                case MUNMAP -> 11;
                case PRLIMIT64 -> 302;
                case TGKILL -> 234;
            };
        }

        @Override
        public long addressInZReference(long reference) {
            // The address begins just above the bit that is set.
            return reference >>> (Z_MARKS + Long.numberOfTrailingZeros(reference >>> Z_MARKS) + 1);
        }

        @Override
        String returnOnly() {
            return "c3"; // ret
        }

        @Override
        String readThreadPointer() {
            return "64488b042500000000" // mov rax, fs:0
                    + "c3"; // ret
        }
    },

    AARCH64 {
        @Override
        public int rseqSignature() {
            return 0xd428bc00;
        }

        @Override
        public int number(Call call) {
            return switch (call) {
                case RSEQ -> 293;
                case MEMBARRIER -> 283;
                case SCHED_SETAFFINITY -> 122;
                case GET_MEMPOLICY -> 236;
                case CLONE -> 220;
                case CLONE3 -> 435;
                case MADVISE -> 233;
                case MPROTECT -> 226;
                case MUNMAP -> 215;
                case PRLIMIT64 -> 261;
                case TGKILL -> 131;
            };
        }

        @Override
        public long addressInZReference(long reference) {
            // The address begins above all marks.
            return reference >>> (Z_MARKS + Z_MARK_BITS);
        }

        @Override
        String returnOnly() {
            return "c0035fd6"; // ret
        }

        @Override
        String readThreadPointer() {
            return "40d03bd5" // mrs x0, tpidr_el0
                    + "c0035fd6"; // ret
        }
    };

    /** Where ZGC keeps its marks, below the address of an object: {@value #Z_MARK_BITS} bits, of which one is set. */
    private static final int Z_MARKS = 12;

    private static final int Z_MARK_BITS = 4;

    /** System calls that tests make by number, or have refused. */
    public enum Call {
        RSEQ,
        MEMBARRIER,
        SCHED_SETAFFINITY,
        GET_MEMPOLICY,
        CLONE,
        CLONE3,
        MADVISE,
        MPROTECT,
        MUNMAP,
        /** What the C library's getrlimit calls. */
        PRLIMIT64,
        TGKILL
    }

    /**
     * The one this JVM runs on.
     *
     * @throws UnsupportedOperationException if the tests do not know it
     */
    public static Machine current() {
        String name = System.getProperty("os.arch");
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "amd64", "x86_64" -> X86_64;
            case "aarch64", "arm64" -> AARCH64;
            default ->
                throw new UnsupportedOperationException("the tests do not know the architecture \"" + name
                        + "\": add it to " + Machine.class.getName());
        };
    }

    /** The four bytes before each abort address, which the C library registers its threads with. */
    public abstract int rseqSignature();

    /** The number that the kernel knows a system call by. */
    public abstract int number(Call call);

    /** The address of an object, in a reference to it as ZGC stores it in a field. */
    public abstract long addressInZReference(long reference);

    /** Instructions of a function that does nothing, in hexadecimal. */
    abstract String returnOnly();

    /** Instructions of a function that returns the thread pointer, in hexadecimal. */
    abstract String readThreadPointer();
}
