"""Views drawn without a display; most of it is tested through ``gradsim render``."""

import pytest
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from gradsim.app.inquiries import Question
from gradsim.app.views_table import ViewRow
from gradsim.cli import figure_refusals, figures
from gradsim.cli.failure import Failure
from gradsim.data import prepare_samples
from gradsim.spec import Experiment, SpecError, Training
from gradsim.spec.data import Adding, Digits, Moons
from tests.reference import reference_experiment, reference_run, reference_samples


def test_only_data_in_a_plane_have_a_decision_map():
    figure_refusals.check_drawable(
        "decision", reference_samples(reference_experiment(data=Moons(samples=50)))
    )
    with pytest.raises(Failure, match="expected data with 2 inputs, got 64"):
        figure_refusals.check_drawable("decision", reference_samples(reference_experiment(data=Digits())))
    sequences = prepare_samples(Experiment(data=Adding(samples=20), training=Training(loss="mse")))
    with pytest.raises(Failure, match="expected data with 2 inputs, got sequences"):
        figure_refusals.check_drawable("decision", sequences)


def test_a_still_picture_of_the_network_shows_all_deltas_and_no_update(qapp):
    from tests.reference import reference_trace

    trace = reference_trace(layers=3)
    step = trace.steps[figures.telling_step(trace)]
    assert (step.phase, step.layer, step.tensor) == ("backward", 0, "delta")


@pytest.mark.parametrize("refuses", [False, True])
def test_a_view_that_asks_is_drawn_with_the_answer(refuses, qtbot, monkeypatch):
    class Asking(QWidget):
        question_asked = Signal(str, object)

        def set_run(self, run):
            assert self.isVisible()
            self.question_asked.emit("loss", "lowest")

        def set_answer(self, question, answer):
            self.told = (question, answer)

        def set_answer_failed(self, question, reason):
            self.told = (question, reason)

    def lowest(inquiry, options):
        if refuses:
            raise SpecError("$.network", "too wide")
        return options, inquiry.run.history.loss.min()

    run = reference_run(layers=2, units=3, records=4)
    monkeypatch.setattr("gradsim.app.views_table.VIEWS", (ViewRow("asking", "Asking", Asking, "tabs"),))
    monkeypatch.setitem(figures._VIEWS, "asking", "asking")
    monkeypatch.setattr("gradsim.app.questions.QUESTIONS", {"loss": Question(lowest)})
    view = figures.view_of("asking", run)
    qtbot.addWidget(view)
    wanted = "$.network: too wide" if refuses else ("lowest", run.history.loss.min())
    assert view.told == ("loss", wanted)
