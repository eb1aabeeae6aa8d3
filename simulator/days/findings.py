"""The findings of simulated days in words, the most important first."""

from typing import Any

from simulator.days.many import LEAST_DAYS_OF_INTERVAL

__all__ = ["findings"]

_LISTENING = ("microphone", "features and buffer", "detector network")


def findings(summary: dict[str, Any], device: str) -> list[str]:
    """Return sentences about a summary of days, as `simulator.days.summary.summarise` makes it.

    Parameters
    ----------
    summary : dict
    device : str
        Its name for a reader.
    """
    modelled, published = summary["modelled"], summary["published"]
    total, percent = modelled["mah_per_day"], modelled["battery_percent_per_day"]
    interval = modelled["battery_percent_interval_95"]
    spread = f" (95 % interval of the mean {interval[0]:.3f} to {interval[1]:.3f})" if interval else ""
    sentences = [
        f"{device}: {percent:.2f} % of the battery a day{spread}, {total:.1f} mAh, "
        f"{modelled['mwh_per_day']:.0f} mWh, {modelled['j_per_day']:.0f} J, or {modelled['mean_ua']:.0f} uA on average."
    ]
    if interval is None:
        n = summary["n_days"]
        sentences.append(
            f"{_days(n)} {'gives' if n == 1 else 'give'} no interval: at least ten independent days are needed."
            if n < LEAST_DAYS_OF_INTERVAL
            else f"The {n} days cost the same, because nothing in them differs for the phone; they give no interval."
        )
    components = modelled["components_mah"]
    listening = sum(components.get(name, 0.0) for name in _LISTENING)
    per_mah = percent / total if total else 0.0
    if total:
        largest = sorted(components.items(), key=lambda item: -item[1])[:2]
        named = " and ".join(f"{name} ({100 * mah / total:.0f} %)" for name, mah in largest if mah > 0)
        sentences.append(
            f"{100 * listening / total:.0f} % of it is always on, whatever sounds; the largest parts are {named}."
        )
        always_on = modelled["always_on"]
        if always_on is not None:
            sentences.append(
                f"The assumptions are less certain than the days: the always-on current alone, from "
                f"{always_on['low_ma']:.3g} to {always_on['high_ma']:.3g} mA, makes it "
                f"{always_on['low_battery_percent']:.2f} to {always_on['high_battery_percent']:.2f} %."
            )
        false_mah = modelled["parts_mah"]["wakes_for_other_sound"]
        sentences.append(
            f"Of {summary['wakes_per_day']:.0f} wake-ups a day, {summary['false_wakes_per_day']:.0f} are false; "
            f"they cost {per_mah * false_mah:.2f} points of the {percent:.2f} %."
            if summary["wakes_per_day"]
            else "The processor is never woken."
        )
    if published is not None:
        sentences.append(
            f"With the {published['wake_j']:g} J that were published for a wake-up on this device it would be "
            f"{published['battery_percent_per_day']:.2f} %."
        )
    songs, latency = summary["songs"], summary["time_to_song_s"]
    if songs["in_database"]:
        sentences.append(
            f"{100 * songs['named'] / songs['in_database']:.0f} % of the database's songs that are played are named"
            + (f", half of them within {latency['p50']:.1f} s of the first note" if latency else "")
            + f"; {songs['wrong_names']:.1f} names a day are wrong."
        )
    else:
        sentences.append("No song of the database is played, so none is named.")
    return sentences


def _days(n: int) -> str:
    return "One day" if n == 1 else f"{n} days"
