package org.nowplaying.core.gate;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.Test;
import org.nowplaying.core.Golden;

public class GateTest {
    @Test
    public void everyStepIsThatOfThePythonGate() throws Exception {
        List<Object> runs = Golden.list(Golden.json("gate.json").get("runs"));
        int openings = 0;
        for (int run = 0; run < runs.size(); run++) {
            Map<String, Object> record = Golden.map(runs.get(run));
            Gate gate = new Gate(new GateSettings(Golden.map(record.get("settings"))));
            for (Object one : Golden.list(record.get("steps"))) {
                List<Object> step = Golden.list(one);
                double timeS = Golden.number(step.get(0));
                if (step.get(1) != null && Golden.number(step.get(1)) < 0) {
                    gate.failed(timeS);
                } else if (step.get(1) != null) {
                    gate.recognized(timeS, Golden.number(step.get(1)));
                }
                boolean opened = gate.step(timeS, (int) Golden.number(step.get(2)));
                String place = "run " + run + ", " + timeS + " s";
                assertEquals(place, (int) Golden.number(step.get(3)), gate.sum());
                assertEquals(place, step.get(4), gate.isMusic());
                assertEquals(place, step.get(5), opened);
                openings += opened ? 1 : 0;
            }
        }
        assertTrue("the gate opened", openings > 50);
    }

    @Test
    public void settingsThatAreMissingUnknownOrOutOfBoundsAreRefused() {
        Map<String, Object> good = new HashMap<>();
        good.put("window", 4);
        good.put("enter_threshold", 0.8);
        good.put("leave_threshold", 0.5);
        good.put("consecutive_hits", 2);
        good.put("cool_down_s", 60.0);
        new GateSettings(good);
        refuses(good, "window", 0);
        refuses(good, "leave_threshold", 0.9);
        refuses(good, "cool_down_s", Double.NaN);
        refuses(good, "silence_dbfs", 3);
        refuses(good, "colour", 1);
        good.remove("window");
        refuses(good, "cool_down_s", 60.0);
    }

    private static void refuses(Map<String, Object> good, String name, Object value) {
        Map<String, Object> changed = new HashMap<>(good);
        changed.put(name, value);
        assertThrows(IllegalArgumentException.class, () -> new GateSettings(changed));
    }
}
