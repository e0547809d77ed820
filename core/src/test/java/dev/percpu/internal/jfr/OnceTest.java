package dev.percpu.internal.jfr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class OnceTest {
    private final Once once = new Once();
    private final List<String> done = new ArrayList<>();

    @Test
    void whatWasDoneIsNotDoneAgain() {
        once.run(() -> done.add("first"));
        once.run(() -> done.add("second"));
        assertThat(done).containsExactly("first");
    }

    @Test
    void whatFailedIsDoneAgain() {
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> once.run(() -> {
                        throw new StackOverflowError();
                    }))
                    .isInstanceOf(StackOverflowError.class);
        }
        once.run(() -> done.add("third"));
        once.run(() -> done.add("fourth"));
        assertThat(done).containsExactly("third");
    }

    @Test
    void whatFailedLaterIsDoneAgainToo() {
        once.run(() -> done.add("first"));
        once.again();
        once.run(() -> done.add("second"));
        once.run(() -> done.add("third"));
        assertThat(done).containsExactly("first", "second");
    }

    @Test
    void whoeverComesMeanwhileDoesNotWait() {
        once.run(() -> once.run(() -> done.add("inner")));
        assertThat(done).isEmpty();
    }
}
