package dev.percpu.stress.fault;

/**
 * The programs of this module that finders run, by their main classes.
 *
 * @param stress the stress program
 * @param jcstress the tests under jcstress
 */
public record Programs(Class<?> stress, Class<?> jcstress) {}
