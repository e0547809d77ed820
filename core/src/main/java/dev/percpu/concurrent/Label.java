package dev.percpu.concurrent;

import dev.percpu.internal.listing.Registry;

/**
 * What messages call an object: its name, or what it is if it has none. A constructor that takes a label does not list
 * the object. If it took a string, only the order of the parameters would tell it from the public one that does.
 */
record Label(String text) {
    /**
     * The label of an object that a user gave a name.
     *
     * @throws NullPointerException if the name is null
     * @throws IllegalArgumentException if it is blank
     */
    static Label named(String name) {
        return new Label(Registry.checkName(name));
    }

    /**
     * The label of an array that has this one.
     *
     * @throws NegativeArraySizeException if the length is negative
     */
    Label ofLength(int length) {
        String array = text + " of length " + length;
        if (length < 0) {
            throw new NegativeArraySizeException(array + ": the length must be at least 0");
        }
        return new Label(array);
    }
}
