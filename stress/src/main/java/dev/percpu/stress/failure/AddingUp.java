package dev.percpu.stress.failure;

import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

/**
 * A structure that adds something up. Each of its operations is used on one that is new at first.
 *
 * @param name what the names of its operations begin with, before the name of the method
 * @param type whose methods they are
 * @param addition adds 1
 * @param inOwnPlaces whether a hot thread's numbers are in its own place, so that their changes are tried there too
 */
record AddingUp<S>(
        String name,
        Class<?> type,
        Supplier<? extends S> maker,
        Consumer<S> addition,
        ToLongFunction<S> total,
        boolean inOwnPlaces) {
    /** The addition that the others are tried with. */
    Operation adding(String method) {
        return adding(method, addition);
    }

    /** Another addition of 1. */
    Operation adding(String method, Consumer<S> one) {
        return changing(method, made -> new Adding(() -> one.accept(made), () -> total.applyAsLong(made)));
    }

    /** The subtraction of 1 by a method. */
    Operation subtracting(String method, Consumer<S> one) {
        return changing(method, made -> new Adding(() -> one.accept(made), () -> -total.applyAsLong(made)));
    }

    /** The reading of the total that the others are tried with. */
    Operation reading(String method) {
        return reading(method, total);
    }

    /** Another reading of the total. */
    Operation reading(String method, ToLongFunction<S> reading) {
        return operation(method, made -> new Reading(() -> addition.accept(made), () -> reading.applyAsLong(made)));
    }

    /** A reset that returns the total. */
    Operation taking(String method, ToLongFunction<S> reset) {
        return changing(
                method,
                made -> new Taking(
                        () -> addition.accept(made), () -> reset.applyAsLong(made), () -> total.applyAsLong(made)));
    }

    /** A reset without a result. */
    Operation resetting(String method, Consumer<S> reset) {
        return changing(
                method,
                made -> Taking.byReset(
                        () -> addition.accept(made), () -> reset.accept(made), () -> total.applyAsLong(made)));
    }

    /** Another change. */
    Operation changing(String method, Function<S, Trial> trial) {
        Operation change = operation(method, trial);
        return inOwnPlaces ? change.also(Variant.HOT) : change;
    }

    private Operation operation(String method, Function<S, Trial> trial) {
        return new Operation(
                name + " " + method.substring(0, method.indexOf('(')),
                type.getSimpleName() + "." + method,
                () -> trial.apply(maker.get()));
    }
}
