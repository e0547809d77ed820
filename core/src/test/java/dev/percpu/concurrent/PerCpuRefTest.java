package dev.percpu.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.percpu.OnCpu;
import dev.percpu.cpu.CpuId;
import dev.percpu.cpu.CpuMask;
import dev.percpu.testing.VmTest;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What one thread can see of a reference count. */
@VmTest("machine")
class PerCpuRefTest {
    private final AtomicInteger releases = new AtomicInteger();
    private final PerCpuRef ref = new PerCpuRef(releases::incrementAndGet);

    @Test
    void killReleasesWhatNobodyUses() {
        ref.get();
        ref.put();
        assertThat(ref.isKilled()).isFalse();
        assertThat(ref.kill()).isTrue();
        assertThat(releases).hasValue(1);
        assertThat(ref.isKilled()).isTrue();
        assertThat(ref.isZero()).isTrue();
    }

    @Test
    void theLastPutReleasesWhatWasKilled() {
        ref.get();
        ref.get();
        ref.kill();
        ref.put();
        assertThat(releases).hasValue(0);
        assertThat(ref.isZero()).isFalse();
        ref.put();
        assertThat(releases).hasValue(1);
    }

    @Test
    void aKilledRefThatIsInUseCanBeTakenButIsNotLive() {
        ref.get();
        ref.kill();
        assertThat(ref.tryGetLive()).isFalse();
        assertThat(ref.tryGet()).isTrue();
        ref.get();
        ref.put();
        ref.put();
        assertThat(releases).hasValue(0);
        ref.put();
        assertThat(releases).hasValue(1);
    }

    @Test
    void nothingIsTakenFromAReleasedRef() {
        ref.kill();
        assertThat(ref.tryGet()).isFalse();
        assertThat(ref.tryGetLive()).isFalse();
        assertThatThrownBy(ref::get).isInstanceOf(IllegalStateException.class).hasMessageContaining("tryGet()");
        assertThat(releases).hasValue(1);
    }

    @Test
    void theSecondKillDoesNothing() {
        ref.get();
        assertThat(ref.kill()).isTrue();
        assertThat(ref.kill()).isFalse();
        ref.put();
        assertThat(ref.kill()).isFalse();
        assertThat(releases).hasValue(1);
    }

    @Test
    void aPutMayComeOnAnotherCpuThanItsGet() {
        List<CpuId> cpus = CpuMask.usable().ids().mapToObj(CpuId::of).toList();
        for (int i = 0; i < cpus.size(); i++) {
            CpuId from = cpus.get(i);
            CpuId to = cpus.get((i + 1) % cpus.size());
            OnCpu.run(from, ref::get);
            OnCpu.run(to, ref::put);
            OnCpu.run(from, ref::get);
            ref.kill();
            assertThat(ref.isZero()).isFalse();
            OnCpu.run(to, ref::put);
            assertThat(ref.isZero()).isTrue();
            ref.reinit();
        }
        assertThat(releases).hasValue(cpus.size());
    }

    @Test
    void aReinitializedRefBeginsAnew() {
        ref.kill();
        ref.reinit();
        assertThat(ref.isKilled()).isFalse();
        assertThat(ref.isZero()).isFalse();
        assertThat(ref.tryGetLive()).isTrue();
        ref.kill();
        assertThat(releases).hasValue(1);
        ref.put();
        assertThat(releases).hasValue(2);
    }

    @Test
    void theReleaseActionMayReinitialize() {
        PerCpuRef[] holder = new PerCpuRef[1];
        PerCpuRef recycled = new PerCpuRef(() -> {
            releases.incrementAndGet();
            holder[0].reinit();
        });
        holder[0] = recycled;
        recycled.kill();
        assertThat(recycled.tryGetLive()).isTrue();
        recycled.kill();
        recycled.put();
        assertThat(releases).hasValue(2);
        assertThat(recycled.isKilled()).isFalse();
    }

    @Test
    void aResurrectedRefKeepsItsReferences() {
        ref.get();
        ref.get();
        ref.kill();
        ref.put();
        assertThat(ref.resurrect()).isTrue();
        assertThat(ref.isKilled()).isFalse();
        assertThat(ref.tryGetLive()).isTrue();
        ref.put();
        ref.put();
        assertThat(releases).hasValue(0);
        ref.kill();
        assertThat(releases).hasValue(1);
        assertThat(ref.resurrect()).isFalse();
    }

    @Test
    void reinitAndResurrectRefuseWhatTheyAreNotFor() {
        assertThatThrownBy(ref::reinit)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("live");
        assertThatThrownBy(ref::resurrect)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("live");
        ref.get();
        ref.kill();
        assertThatThrownBy(ref::reinit)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("count 1");
        ref.put();
        assertThat(releases).hasValue(1);
    }

    @Test
    void aPutTooManyIsFoundAfterTheKill() {
        ref.kill();
        assertThatThrownBy(ref::put)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("put(1), but no reference is left");
        assertThat(releases).hasValue(1);
        ref.reinit();
        ref.get();
        ref.kill();
        ref.put();
        assertThat(releases).hasValue(2);
    }

    @Test
    void aPutTooManyIsFoundByTheKill() {
        ref.put();
        assertThatThrownBy(ref::kill)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("the puts outnumber the gets by 1");
        assertThatThrownBy(ref::put)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("the puts outnumber the gets by 1, so the release action does not run");
        assertThat(ref.isKilled()).isTrue();
        assertThat(ref.tryGet()).isFalse();
        assertThat(ref.resurrect()).isFalse();
        assertThatThrownBy(ref::put).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(ref::reinit).isInstanceOf(IllegalStateException.class);
        assertThat(releases).hasValue(0);
    }

    @Test
    void whatTheReleaseActionThrowsReachesWhoReleased() {
        PerCpuRef failing = new PerCpuRef(() -> {
            throw new IllegalArgumentException("release");
        });
        failing.get();
        failing.kill();
        assertThatThrownBy(failing::put).isInstanceOf(IllegalArgumentException.class);
        failing.reinit();
        assertThatThrownBy(failing::kill).isInstanceOf(IllegalArgumentException.class);
        failing.reinit();
        assertThat(failing.tryGetLive()).isTrue();
    }
}
