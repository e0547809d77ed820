/** Conversion to HdrHistogram's histograms. */
@NullMarked
package dev.percpu.hdrhistogram;

import org.jspecify.annotations.NullMarked;
