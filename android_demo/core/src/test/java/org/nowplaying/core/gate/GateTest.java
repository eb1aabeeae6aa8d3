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
        int changes = 0;
        for (int run = 0; run < runs.size(); run++) {
            Map<String, Object> record = Golden.map(runs.get(run));
            Gate gate = new Gate(new GateSettings(Golden.map(record.get("settings"))));
            List<Object> steps = Golden.list(record.get("steps"));
            for (int number = 0; number < steps.size(); number++) {
                List<Object> step = Golden.list(steps.get(number));
                boolean before = gate.isMusic();
                boolean music = gate.step((int) Golden.number(step.get(0)));
                String place = "run " + run + ", step " + number;
                assertEquals(place, (int) Golden.number(step.get(1)), gate.sum());
                assertEquals(place, step.get(2), music);
                assertEquals(place, music, gate.isMusic());
                changes += music == before ? 0 : 1;
            }
        }
        assertTrue("music began and ended", changes > 50);
    }

    @Test
    public void aResetGateIsANewGate() {
        GateSettings settings = new GateSettings(good());
        Gate used = new Gate(settings);
        for (int i = 0; i < 7; i++) {
            used.step(256);
        }
        assertTrue(used.isMusic());
        used.reset();
        Gate fresh = new Gate(settings);
        for (int i = 0; i < 20; i++) {
            int output = 37 * i % 256;
            assertEquals(fresh.step(output), used.step(output));
            assertEquals(fresh.sum(), used.sum());
        }
    }

    @Test
    public void settingsThatAreMissingUnknownOrOutOfBoundsAreRefused() {
        Map<String, Object> good = good();
        new GateSettings(good);
        refuses(good, "window", 0);
        refuses(good, "leave_threshold", 0.9);
        refuses(good, "cool_down_s", Double.NaN);
        refuses(good, "silence_dbfs", 3);
        refuses(good, "early_window", 5);
        refuses(good, "early_window", null);
        refuses(good, "early_threshold", 1.1);
        refuses(good, "colour", 1);
        good.remove("window");
        refuses(good, "cool_down_s", 60.0);
    }

    private static Map<String, Object> good() {
        Map<String, Object> good = new HashMap<>();
        good.put("window", 4);
        good.put("enter_threshold", 0.8);
        good.put("leave_threshold", 0.5);
        good.put("consecutive_hits", 2);
        good.put("early_window", 2);
        good.put("early_threshold", 0.95);
        good.put("cool_down_s", 60.0);
        good.put("back_off_factor", 1.0);
        good.put("longest_rest_s", 600.0);
        good.put("silence_dbfs", null);
        return good;
    }

    private static void refuses(Map<String, Object> good, String name, Object value) {
        Map<String, Object> changed = new HashMap<>(good);
        changed.put(name, value);
        assertThrows(IllegalArgumentException.class, () -> new GateSettings(changed));
    }
}
