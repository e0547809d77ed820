package dev.percpu.micrometer;

/** A meter with a maximum that has to be advanced from time to time. */
interface HasMaximum {
    WindowMaximum maximum();
}
