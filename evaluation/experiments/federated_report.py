"""The federated experiment's tables, and its curve of quality over the privacy budget."""

from collections.abc import Mapping
from typing import Any, Final

from nowplaying_core.text import markdown_table
from pretraining.federated.config import FederationConfig

__all__ = ["ROUNDS_PER_DAY", "draw_curve", "to_markdown"]

ROUNDS_PER_DAY: Final = 24
"""An assumption: the server runs a round each hour, and a client is free (charging, on Wi-Fi) whenever it is drawn."""
# By run, what the legend calls it, its line and its colour: "clipped" has that of the runs whose noise it lacks.
_REFERENCES: Final[dict[str, tuple[str, Any, int]]] = {
    "central": ("central", "-", 1),
    "federated": ("federated", "--", 1),
    "server alone": ("server alone", "-.", 1),
    "continued": ("continued", (0, (1, 1)), 1),
    "clipped": ("the same clients without noise", "--", 0),
    "random": ("random weights", ":", 2),
}


def to_markdown(result: Mapping[str, Any]) -> str:
    """Return the tables; every figure is taken from the result."""
    from pretraining.probe.report import to_markdown as tables

    _, _, rest = tables(result).partition("\n")
    lines = [
        f"`{result['method']}`; sources are dealt to clients by a Dirichlet distribution, `central` gets as many clips "
        "in one place as `federated` or `continued`. Simulated; made by `python -m evaluation.experiments.federated`.",
        "",
        _rounds(result),
        f'What a client spends, on "{result["device"]}": computing (the encoder alone, in float32, as if all its '
        f"weights were trained) and the radio. {ROUNDS_PER_DAY} rounds a day are an assumption; a client takes part in "
        "those that it is drawn for.",
        "",
        _spent(result),
        _privacy(result),
    ]
    return "\n".join(lines) + "\n" + rest


def _rounds(result: Mapping[str, Any]) -> str:
    rows = []
    for one in _kinds(result):
        used = _settings(one)
        drawn = f"{used.clients_per_round} of {used.n_clients}"
        rows.append(
            [
                one["name"],
                f"{used.n_rounds}",
                drawn if used.sampling == "fixed" else f"each by itself, {drawn} on average",
                f"{used.concentration:g}",
                f"{used.local_steps} of {used.local_clips} clips",
                f"{used.local_rate:g}",
                f"{one['n_weights']:,}" + (f" ({', '.join(used.trained)})" if used.trained else " (all)"),
                f"{used.server_momentum:g}",
            ]
        )
    headings = ["run", "rounds", "clients a round", "concentration", "local steps", "rate", "weights trained and sent"]
    return markdown_table([*headings, "server's momentum"], rows) + "\n"


def _spent(result: Mapping[str, Any]) -> str:
    rows = []
    for one in _kinds(result):
        used = _settings(one)
        a_day = ROUNDS_PER_DAY * used.clients_per_round / used.n_clients
        for radio, parts in one["energy_mj"].items():
            mega_bytes = one["bytes_per_client_round"] / 1e6
            figures = [f"{parts[name]:,.0f}" for name in ("training", "radio", "total")]
            of_day = [f"{a_day:g}", f"{a_day * mega_bytes:.2f}", f"{a_day * parts['total'] / 1000:.1f}"]
            rows.append([one["name"], radio, f"{mega_bytes:.2f}", *figures, *of_day])
    headings = ["run", "radio", "MB a round", "computing, mJ", "sending, mJ", "a round, mJ"]
    return markdown_table([*headings, "rounds a day", "MB a day", "J a day"], rows, numbers=range(2, 9)) + "\n"


def _privacy(result: Mapping[str, Any]) -> str:
    rows, large = [], None
    for one in result["federations"]:
        used, privacy = _settings(one), ["none"] * 4
        if one["epsilon"] is not None:
            large = one.get("large") or large
            in_large = f"{one['large']['epsilon']:.3f}" if "large" in one else "-"
            privacy = [f"{used.noise_multiplier:g}", f"{one['epsilon']:.1f}", f"{used.delta:g}", in_large]
        norm = f"{used.clipping_norm:g}" if used.clipping_norm else "none"
        if used.clipping_quantile:
            norm += f" to {one['last_norm']:.3g}"
        loss = "nobody came" if one["loss"] is None else f"{one['loss']:.3f}"  # each client is drawn by itself
        rows.append([one["name"], norm, *privacy, loss])
    headings = ["run", "clipping norm", "noise multiplier", "epsilon", "delta", "epsilon, large", "last loss"]
    text = markdown_table(headings, rows, numbers=range(1, 7)) + "\n"
    if large:
        text += (
            f"\n*Large*: {large['n_clients']:,} clients, {large['clients_per_round']:,} a round, with the same noise "
            f"on the mean of their updates; delta {large['delta']:g}.\n"
        )
    return text


def draw_curve(axes: Any, ink: str, result: Mapping[str, Any], colours: tuple[str, ...]) -> None:
    """Draw the probe's mean with all labels over epsilon, with intervals; runs without privacy are lines across."""
    means = {row["method"]: row for row in result["means"] if row["label_share"] == 1.0 and row["mode"] == "frozen"}
    points = sorted((one["epsilon"], one["name"]) for one in result["federations"] if one["epsilon"] is not None)
    budgets = [budget for budget, _ in points]
    heights = [100 * means[name]["accuracy"] for _, name in points]
    below = [100 * (means[name]["accuracy"] - means[name]["low"]) for _, name in points]
    above = [100 * (means[name]["high"] - means[name]["accuracy"]) for _, name in points]
    axes.errorbar(
        budgets, heights, yerr=[below, above], fmt="o-", color=colours[0], capsize=3, label="clients hidden by noise"
    )
    for name, (label, line, number) in _REFERENCES.items():
        if name in means:
            axes.axhline(100 * means[name]["accuracy"], color=colours[number], linestyle=line, label=label)
    axes.set_xscale("log")
    axes.set_xticks(budgets, [f"{budget:.2g}" for budget in budgets], minor=False)
    axes.minorticks_off()
    axes.set_xlabel("epsilon (smaller hides a client better)", color=ink)
    axes.set_ylabel("right, mean of the tasks (%)", color=ink)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, labelcolor=ink, fontsize=8)


def _kinds(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the first run of each way of training: what noise changes is neither bytes nor energy."""
    kinds: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for one in result["federations"]:
        used = _settings(one)
        way = (used.n_clients, used.clients_per_round, used.local_rate, used.trained, one["slices_per_round"])
        kinds.setdefault(way, one)
    return list(kinds.values())


def _settings(row: Mapping[str, Any]) -> FederationConfig:
    return FederationConfig.from_dict(row["federation"])
