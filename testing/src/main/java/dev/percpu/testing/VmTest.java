package dev.percpu.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Has the scenarios of {@code ./percpu vm-test} with these names run a test class of the core. {@code vm/vm-test.sh}
 * looks for it in the sources.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.SOURCE)
public @interface VmTest {
    String[] value();
}
