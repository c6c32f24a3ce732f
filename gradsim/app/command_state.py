"""What decides which commands can be used, as the session and a lesson stand."""

from __future__ import annotations

from gradsim.app.commands import State
from gradsim.app.comparison import is_comparable
from gradsim.app.session import Session


def command_state(session: Session, *, has_lesson: bool) -> State:
    """
    Return what can be done now.

    Parameters
    ----------
    session : Session
        With run, cursor and document.
    has_lesson : bool
        Whether a lesson is under way.

    Returns
    -------
    State
        For the table of commands.
    """
    run = session.run
    return State(
        has_run=run is not None,
        is_training=session.training.is_training,
        can_undo=session.can_undo,
        can_redo=session.document.redo_description is not None,
        has_ghost=run is not None and run.ghost is not None,
        is_at_start=session.cursor.iteration == 0,
        has_time=run is not None and any(la.kind == "recurrent" for la in run.trace.layers),
        has_lesson=has_lesson,
        is_comparable=is_comparable(run),
    )
