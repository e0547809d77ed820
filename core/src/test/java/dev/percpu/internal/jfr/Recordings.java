package dev.percpu.internal.jfr;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import jdk.jfr.EventSettings;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/** Recordings of the flight recorder, for tests. */
final class Recordings {
    private Recordings() {}

    interface ThrowingAction {
        void run() throws Exception;
    }

    /** Records all events with a name while an action runs, also if an earlier test has used up their rate. */
    static List<RecordedEvent> record(String name, ThrowingAction action) throws Exception {
        return record(name, Map.of("throttle", "off", "threshold", "0 ns"), action);
    }

    /**
     * Records while an action runs, and returns the events with a name.
     *
     * @param settings what is not as the event itself says, such as {@code 100/s} for {@code throttle}
     */
    static List<RecordedEvent> record(String name, Map<String, String> settings, ThrowingAction action)
            throws Exception {
        try (Recording recording = new Recording()) {
            EventSettings enabled = recording.enable(name).with("period", "endChunk");
            settings.forEach(enabled::with);
            recording.start();
            action.run();
            recording.stop();
            return eventsOf(recording).stream()
                    .filter(event -> event.getEventType().getName().equals(name))
                    .toList();
        }
    }

    /** All events of a recording that has stopped. */
    static List<RecordedEvent> eventsOf(Recording recording) throws IOException {
        Path file = Files.createTempFile("percpu", ".jfr");
        try {
            recording.dump(file);
            return RecordingFile.readAllEvents(file);
        } finally {
            Files.delete(file);
        }
    }
}
