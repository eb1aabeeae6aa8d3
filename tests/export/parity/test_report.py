import json

import pytest

from export.parity.layers import LayerError
from export.parity.report import TOLERANCES, ParityReport
from nowplaying_core.errors import ParityError


def layer(name: str, **values: float) -> LayerError:
    settings = {"kernel_steps": 0.4, "bias_steps": 0.3, "snr_db": 30.0, "error_steps": 0.5, "saturated": 0.0} | values
    return LayerError(layer=name, operator="CONV_2D", shape=(1, 2, 3), **settings)


@pytest.mark.parametrize("name", sorted(TOLERANCES))
def test_each_figure_holds_at_its_limit_and_fails_beyond(name: str) -> None:
    tolerance, report = TOLERANCES[name], ParityReport("x")
    report.add(name, tolerance.limit)
    report.check(strict=True)
    beyond = tolerance.limit - 1e-6 if tolerance.at_least else tolerance.limit + 1e-6
    report.add(name, beyond)
    with pytest.raises(ParityError, match="x does not compute what was evaluated"):
        report.check()


@pytest.mark.parametrize("name", ["ROC area lost by int8", "int8 to float, mean cosine"])
def test_what_is_not_a_number_is_never_within(name: str) -> None:
    report = ParityReport("x")
    report.add(name, float("nan"))
    with pytest.raises(ParityError):
        report.check()


def test_the_error_names_every_figure_that_is_out_and_no_other() -> None:
    report = ParityReport("phone")
    report.add("LiteRT to TFLM", 3)
    report.add("changed graphs", 0)
    report.add("int8 to float, mean cosine", 0.5)
    with pytest.raises(ParityError) as caught:
        report.check()
    assert "LiteRT to TFLM: expected at most 0, found 3" in str(caught.value)
    assert "mean cosine: expected at least 0.999, found 0.5" in str(caught.value)
    assert "changed graphs" not in str(caught.value)
    assert caught.value.exit_code == 4


def test_what_is_left_out_fails_only_when_strict() -> None:
    report = ParityReport("x", left_out={"TFLM": "no micro extra"})
    report.check()
    with pytest.raises(ParityError, match="TFLM: left out, because no micro extra"):
        report.check(strict=True)


def test_the_worst_layers_become_figures() -> None:
    report = ParityReport("x")
    report.add_layers("detector", [layer("a"), layer("b", snr_db=2.0), layer("c", kernel_steps=7.0)])
    values = {figure.name: (figure.value, figure.detail, figure.is_within) for figure in report.figures}
    assert values["detector, worst layer"] == (2.0, "b, of 3 layers", False)
    assert values["detector, worst kernel"] == (7.0, "c, of 3 layers", False)
    assert values["detector, worst bias"][2]


def test_both_forms_tell_the_same() -> None:
    report = ParityReport("x", left_out={"TFLM": "no micro extra"})
    report.add("LiteRT to TFLM", 3, "5 outputs")
    report.add_layers("detector", [layer("pointwise.0")])
    plain = json.loads(json.dumps(report.to_dict()))
    assert not plain["passed"]
    assert plain["layers"]["detector"][0]["shape"] == [1, 2, 3]
    text = report.to_markdown()
    assert "| LiteRT to TFLM | 3 | at most 0 | **out** | 5 outputs |" in text
    assert "| pointwise.0 | CONV_2D | 1 x 2 x 3 | 0.400 | 0.300 | 30.0 | 0.50 | 0.00 % |" in text
    assert "- TFLM: no micro extra" in text
