package dev.percpu;

/**
 * Marks a type whose objects control changes to what is in them, so that several tokens for one object at a time do no
 * harm: see {@link CheckedPerCpu}. The four cells of {@link dev.percpu.cell} are such types; yours can be too, if every
 * one of its methods leaves it fit for the next.
 */
public interface InteriorMutable {}
