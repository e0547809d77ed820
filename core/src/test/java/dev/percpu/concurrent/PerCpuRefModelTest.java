package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;

/** A reference count does, in any order of calls, what a number and two flags would. */
class PerCpuRefModelTest {
    enum Call {
        GET,
        TRY_GET,
        TRY_GET_LIVE,
        PUT,
        PUT_AGAIN,
        KILL,
        REINIT,
        RESURRECT
    }

    private static final class Model {
        private long references;
        private boolean killed;
        private int releases;

        private final int[] released = new int[1];
        private final PerCpuRef ref = new PerCpuRef(() -> released[0]++);

        private void make(Call call) {
            boolean mayGet = !killed || references > 0;
            switch (call) {
                case GET -> {
                    outcome(mayGet, ref::get);
                    references += mayGet ? 1 : 0;
                }
                case TRY_GET -> {
                    assertThat(ref.tryGet()).isEqualTo(mayGet);
                    references += mayGet ? 1 : 0;
                }
                case TRY_GET_LIVE -> {
                    assertThat(ref.tryGetLive()).isEqualTo(!killed);
                    references += killed ? 0 : 1;
                }
                case PUT, PUT_AGAIN -> {
                    outcome(mayGet, ref::put);
                    references -= mayGet ? 1 : 0;
                    releases += mayGet && killed && references == 0 ? 1 : 0;
                }
                case KILL -> {
                    boolean negative = !killed && references < 0;
                    if (negative) {
                        outcome(false, ref::kill);
                    } else {
                        assertThat(ref.kill()).isEqualTo(!killed);
                    }
                    releases += !killed && references == 0 ? 1 : 0;
                    killed = true;
                }
                case REINIT -> {
                    boolean zero = killed && references == 0;
                    outcome(zero, ref::reinit);
                    killed &= !zero;
                }
                case RESURRECT -> {
                    if (killed) {
                        assertThat(ref.resurrect()).isEqualTo(references > 0);
                        killed = references <= 0;
                    } else {
                        outcome(false, ref::resurrect);
                    }
                }
            }
            assertThat(released[0]).isEqualTo(releases);
            assertThat(ref.isKilled()).isEqualTo(killed);
            assertThat(ref.isZero()).isEqualTo(killed && references == 0);
        }

        private static void outcome(boolean success, Runnable call) {
            if (success) {
                call.run();
            } else {
                assertThatThrownBy(call::run).isInstanceOf(IllegalStateException.class);
            }
        }
    }

    @Property(tries = 500)
    void behavesLikeANumberAndTwoFlags(@ForAll @Size(max = 100) List<Call> calls) {
        Model model = new Model();
        calls.forEach(model::make);
    }
}
