"""The chain rule of a weight in the window: its paths are drawn over the network while it is looked at."""


def test_the_paths_of_the_inspector_are_drawn_over_the_network(window, qtbot):
    inspector, network = window.views["inspector"], window.views["network"]
    window.session.select(1, 0)
    inspector.tabs.setCurrentWidget(inspector.chain)
    qtbot.waitUntil(lambda: len(network.canvas.picture.paths) > 0)
    marked = network.canvas.picture.paths[0]
    assert (1, 0) in marked
    assert "of a weight's chain rule drawn" in network.text_summary()
    inspector.tabs.setCurrentIndex(0)
    assert network.canvas.picture.paths == ()
