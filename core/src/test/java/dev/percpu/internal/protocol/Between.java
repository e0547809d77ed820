package dev.percpu.internal.protocol;

/** Fences whose light half does something else: what other threads could do at that moment. */
record Between(Runnable task) implements Fences {
    @Override
    public void light() {
        task.run();
    }

    @Override
    public void heavy() {
        throw new AssertionError("only the light half is used");
    }

    @Override
    public boolean isAsymmetric() {
        return true;
    }
}
