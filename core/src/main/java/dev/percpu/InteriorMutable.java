package dev.percpu;

/**
 * Marks a type whose objects control changes to their contents, so several tokens for one object can safely be live at
 * a time: see {@link CheckedPerCpu}. The four cells of {@link dev.percpu.cell} are such types. Your own type can be one
 * too, if each of its methods leaves the object in a valid state for the next call.
 */
public interface InteriorMutable {}
