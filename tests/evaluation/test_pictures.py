"""The README: short, its pictures there in light and dark with words for those who do not see them."""

import re
import shutil
from pathlib import Path

import pytest

import nowplaying
from evaluation import pictures
from evaluation.committed import committed
from evaluation.detector import gate_report, operating
from evaluation.experiments import federated
from evaluation.pictures import FOLDER, draw_chart, write_chart
from evaluation.readme import accuracy_rows
from tests.simulator.reports.browser import needs_chromium

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 120


def test_every_picture_is_there_light_and_dark_and_described() -> None:
    sources = re.findall(r'src(?:set)?="([^"]+)"', README)
    assert len(sources) == 4
    assert all((ROOT / source).is_file() for source in sources)
    for dark, light in zip(sources[::2], sources[1::2], strict=True):
        assert (dark.replace("-dark", ""), "-dark" in dark) == (light.replace("-light", ""), True)
    assert all(len(alt) > 40 for alt in re.findall(r'alt="([^"]+)"', README))
    assert README.count("<img") == README.count('alt="') == 2


def test_every_picture_is_of_the_readme_or_of_a_page() -> None:
    pages = [README, *(path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md"))]
    named = {Path(name).name for page in pages for name in re.findall(r"pictures/[\w.-]+\w", page)}
    assert {path.name for path in FOLDER.iterdir()} == named


def test_the_local_page_is_shown_light_and_dark_with_words() -> None:
    page = (ROOT / "docs" / "web-page.md").read_text(encoding="utf-8")
    dark, light = re.findall(r'src(?:set)?="([^"]+)"', page)
    assert (dark, light) == ("pictures/page-dark.png", "pictures/page-light.png")
    assert all((ROOT / "docs" / name).stat().st_size < 100_000 for name in (dark, light))
    (alt,) = re.findall(r'alt="([^"]+)"', page)
    assert len(alt) > 100


@needs_chromium
def test_the_page_is_drawn_by_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = pytest.importorskip("PIL.Image", reason="needs the report extra")
    monkeypatch.setattr(pictures, "FOLDER", tmp_path)
    monkeypatch.setattr("sys.argv", ["pictures", "page"])
    assert pictures.main() == 0
    light, dark = (image.open(tmp_path / f"page-{scheme}.png").convert("L") for scheme in ("light", "dark"))
    assert light.size == dark.size
    assert light.resize((1, 1)).getpixel((0, 0)) > 200 > 60 > dark.resize((1, 1)).getpixel((0, 0))


def test_the_chart_draws_the_committed_figures(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the report extra")
    rows = accuracy_rows()
    assert [set(values) for _, values in rows] == [{"ours", "published retrieval", "landmarks"}] * len(rows)
    for scheme in ("light", "dark"):
        axes = draw_chart("accuracy", scheme).axes[0]
        assert [bar.get_height() for bar in axes.containers[0]] == [values["ours"] for _, values in rows]


def test_the_operating_curve_draws_the_committed_gates(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the report extra")
    axes = draw_chart("operating", "dark").axes[0]
    assert len(axes.lines) == 3
    for line, gates in zip(axes.lines, operating.curves().values(), strict=False):
        assert list(line.get_ydata()) == [100 * row["recall_audible"] for row in gates]
    assert (axes.lines[2].get_xdata()[0], axes.lines[2].get_ydata()[0]) == operating.shipped_point()


def test_the_privacy_curve_draws_the_committed_budgets() -> None:
    pytest.importorskip("matplotlib", reason="needs the report extra")
    result = federated.committed_result()
    means = {row["method"]: row for row in result["means"] if row["label_share"] == 1.0}
    points = sorted((one["epsilon"], one["name"]) for one in result["federations"] if one["epsilon"] is not None)
    axes = draw_chart("federated", "light").axes[0]
    curve, _, (bars,) = axes.containers[0]
    assert len(points) >= 2
    assert list(curve.get_xdata()) == [budget for budget, _ in points]
    assert list(curve.get_ydata()) == [100 * means[name]["accuracy"] for _, name in points]
    for segment, (_, name) in zip(bars.get_segments(), points, strict=True):
        assert list(segment[:, 1]) == pytest.approx([100 * means[name][edge] for edge in ("low", "high")])


def test_a_condition_of_the_capacity_charts_has_the_colour_of_its_noise_and_the_line_of_its_length() -> None:
    pytest.importorskip("matplotlib", reason="needs the report extra")
    axes = draw_chart("capacity-steps", "light").axes[0]
    style = {bars.get_label(): (bars[0].get_color(), bars[0].get_linestyle()) for bars in axes.containers}
    assert set(style) == {"5 dB, 2 s", "5 dB, 8 s", "0 dB, room, 2 s", "0 dB, room, 8 s"}
    colours, lines = (
        {name.rpartition(", ")[part]: drawn[at] for name, drawn in style.items()} for part, at in ((0, 0), (2, 1))
    )
    assert len(set(colours.values())) == len(set(lines.values())) == 2
    assert style == {f"{noise}, {length}": (colours[noise], lines[length]) for noise in colours for length in lines}


def test_the_surface_of_gates_draws_the_committed_ones_and_the_chosen_one() -> None:
    pytest.importorskip("matplotlib", reason="needs the report extra")
    result = committed(gate_report.RESULTS)
    *lines, mark = draw_chart("gates", "light").axes[0].lines
    for line, rows in zip(lines, gate_report.curves(result).values(), strict=True):
        assert list(line.get_ydata()) == [100 * row["recall_audible"] for row in rows]
    chosen = result["figures"]["both"]["entries"]
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == (
        chosen["false_per_hour"]["value"],
        100 * chosen["recall"]["value"],
    )


@pytest.mark.parametrize("name", pictures.CHARTS)
def test_the_same_figures_give_the_same_picture(tmp_path: Path, name: str) -> None:
    pytest.importorskip("matplotlib", reason="needs the report extra")
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write_chart(tmp_path / folder / "chart.svg", name, "light")
    assert (tmp_path / "one/chart.svg").read_bytes() == (tmp_path / "two/chart.svg").read_bytes()


def test_the_five_lines_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / "music").mkdir()
    recordings = nowplaying.demo_recordings()
    for name in ("martian-cowboy", "marhaba"):
        shutil.copy(recordings[name].path, tmp_path / "music")
    shutil.copy(recordings["martian-cowboy"].path, tmp_path / "query.opus")
    shutil.copy(recordings["marhaba"].path, tmp_path / "evening.wav")
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    exec(code, namespace)  # noqa: S102 (it is ours)
    recognizer = namespace["recognizer"]
    assert isinstance(recognizer, nowplaying.Recognizer)
    match = recognizer.recognize("query.opus").match
    assert match is not None
    assert match.title == "Martian Cowboy"
