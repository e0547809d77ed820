package dev.percpu.stress.failure;

/**
 * A public operation of the library.
 *
 * @param name what it is called on the command line and in the report
 * @param factory makes things to use it on
 */
record Operation(String name, Factory factory) {
    /** Makes a trial. */
    @FunctionalInterface
    interface Factory {
        /**
         * Makes one.
         *
         * @param other another thread, for what the trial's own thread cannot do
         */
        Trial create(OtherThread other) throws Exception;
    }
}
