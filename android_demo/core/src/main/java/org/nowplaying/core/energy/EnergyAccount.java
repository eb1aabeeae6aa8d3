package org.nowplaying.core.energy;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.nowplaying.core.artifact.Json;

/**
 * The simulator's account of a phone's energy, from the file that {@code nowplaying energy account} writes: an estimate from
 * published figures, with its range.
 */
public final class EnergyAccount {
    private static final int VERSION = 1;

    /** The profile's name for people. */
    public final String title;

    /** Whether the profile is of this model of phone, and not the one for all others. */
    public final boolean isOfThisModel;

    private final double batteryJ;
    private final double[] recordingMw;
    private final double[] answerJ;

    private EnergyAccount(Map<?, ?> device, boolean isOfThisModel) {
        title = String.valueOf(device.get("title"));
        this.isOfThisModel = isOfThisModel;
        batteryJ = positive(device.get("battery_j"));
        recordingMw = range(device, "recording_mw");
        answerJ = range(device, "answer_j");
    }

    /**
     * Chooses the profile of a phone, or that for phones without one.
     *
     * @param model of the phone, as Android names it
     * @throws IllegalArgumentException where the file is another
     */
    public static EnergyAccount of(String json, String model) {
        Object value = Json.parse(json);
        Map<?, ?> all = value instanceof Map ? (Map<?, ?>) value : Collections.emptyMap();
        Object version = all.get("schema_version");
        Object devices = all.get("devices");
        boolean fits = version instanceof Number && ((Number) version).intValue() == VERSION && devices instanceof List;
        if (!fits) {
            throw new IllegalArgumentException("expected an energy account of version " + VERSION);
        }
        Map<?, ?> other = null;
        for (Object one : (List<?>) devices) {
            Map<?, ?> device = one instanceof Map ? (Map<?, ?>) one : Collections.emptyMap();
            Object models = device.get("models");
            if (models instanceof List && ((List<?>) models).contains(model)) {
                return new EnergyAccount(device, true);
            }
            if (all.get("other") != null && all.get("other").equals(device.get("name"))) {
                other = device;
            }
        }
        if (other == null) {
            throw new IllegalArgumentException("energy account: no profile for other phones");
        }
        return new EnergyAccount(other, false);
    }

    /**
     * Returns the estimated share of a full battery in percent: likely, lowest and highest.
     *
     * @param listenedS seconds with an open microphone
     * @param wakes how often the recognizer ran
     */
    public double[] percent(double listenedS, long wakes) {
        double[] share = new double[recordingMw.length];
        for (int i = 0; i < share.length; i++) {
            share[i] = 100 * (listenedS * recordingMw[i] / 1000 + wakes * answerJ[i]) / batteryJ;
        }
        return share;
    }

    private static double[] range(Map<?, ?> device, String name) {
        Map<?, ?> table = device.get(name) instanceof Map ? (Map<?, ?>) device.get(name) : Collections.emptyMap();
        return new double[] {positive(table.get("value")), positive(table.get("low")), positive(table.get("high"))};
    }

    private static double positive(Object value) {
        double found = value instanceof Number ? ((Number) value).doubleValue() : Double.NaN;
        if (!(found > 0 && found < 1e9)) {
            throw new IllegalArgumentException("energy account: expected a positive number, found " + value);
        }
        return found;
    }
}
