"""The browser page: Slicer's own views and the session's panel, served to a web browser.

Two programs. The *front* (``front``, ``listening``, ``guard``, ``windows``, ``relay``, ``receive``, ``assets``) hears
browsers and never opens an image. For every browser window it starts a *window process* (``window_process``), which
holds one scene, one session and one worker, and ends it when the window is closed. So no window can see another's
patient, and nothing that a window used outlives it.

In the window process ``viewer`` and ``editing`` use trame-slicer (``cures`` are the work-arounds that it needs),
``desktop`` binds the session to the page, ``state`` and ``review`` are what the page shows, ``acts`` what it may ask.
The page itself is in ``static``.

Needs the extra ``web``; importing this package does not.
"""
