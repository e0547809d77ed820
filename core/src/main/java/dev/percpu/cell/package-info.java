/** Types that control changes to what is in them, for {@link dev.percpu.CheckedPerCpu} variables. */
@NullMarked
package dev.percpu.cell;

import org.jspecify.annotations.NullMarked;
