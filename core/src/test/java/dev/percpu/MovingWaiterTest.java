package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.testing.Disturbance;
import dev.percpu.testing.LogCapture;
import dev.percpu.testing.Workers;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A thread that waits for whichever CPU it is on, and sees another owner after each move. */
@Tag("native")
@SuppressWarnings("MustBeClosedChecker") // it is closed at once
class MovingWaiterTest {
    @Test
    void itWarnsOfAnOwnerThatTakesLong() throws InterruptedException {
        List<Holder> holders = new ArrayList<>();
        try (LogCapture log = new LogCapture()) {
            for (CpuId cpu : CpuMask.possible()) {
                holders.add(Holder.of(cpu));
            }
            Disturbance.during("mover", 5, () -> {
                Thread waiter = Thread.ofPlatform()
                        .name("mover")
                        .start(() -> CpuGuard.acquire().close());
                while (log.messages().stream().noneMatch(message -> message.contains("held for over"))) {
                    Thread.sleep(10);
                }
                while (!holders.isEmpty()) {
                    holders.removeLast().release();
                }
                Workers.join(waiter);
            });
            assertThat(log.messages()).anyMatch(message -> message.contains("\"holder\""));
        } finally {
            for (Holder holder : holders) {
                holder.release();
            }
        }
    }
}
