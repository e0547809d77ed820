/** Builds C code that includes the header, and runs it: alone, and in one process with Java. */
package dev.percpu.nativecode;
