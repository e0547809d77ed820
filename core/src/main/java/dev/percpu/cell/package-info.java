/** Types that control changes to their contents, for {@link dev.percpu.CheckedPerCpu} variables. */
@NullMarked
package dev.percpu.cell;

import org.jspecify.annotations.NullMarked;
