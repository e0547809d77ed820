package dev.percpu.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * A test that waits for a JVM of its own, in which everything happens that it checks. So it can run beside others of
 * its class. A parameterized test is no {@link Test} and says so with {@link Execution} itself.
 *
 * <p>It stands at methods and not at the class. In an emulated machine all classes share a JVM, and there such a class
 * would run beside others, which count what the whole process does.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@Test
@Execution(ExecutionMode.CONCURRENT)
public @interface TestInOwnJvm {}
